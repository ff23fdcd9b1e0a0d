/* F3: the Compose file of an instance, from the release's template and the values of a stack document. Pure,
 * and byte-identical for identical input.
 *
 * The template (model/template.h) says what only the app knows: environment, volumes, tmpfs, health check,
 * order of start, user. The rest is emitted here, whoever wrote the template: images by digest, limits,
 * labels, ports, the private network, dropped capabilities, no new privileges, secrets as read-only files. A
 * YAML library writes it. */
#ifndef FAIRLEAD_MODEL_RENDER_H
#define FAIRLEAD_MODEL_RENDER_H

#include "base/err.h"
#include "base/mem.h"
#include "proto/fairlead.pb-c.h"

#include <jansson.h>
#include <stdbool.h>

struct render_input {
    const Fairlead__V1__Stack *stack;
    const json_t *spec;   /* stack->spec, parsed */
    const char *instance; /* hex */
    const char *node;     /* hex */
    const char *letter;   /* of the set */
    uint64_t revision, generation;
    const char *registry;         /* host:port that images are pulled from */
    const char *const *image_ids; /* of the stack's images, in their order: by which the Engine knows them;
                                   * NULL, or one that is: by its digest, of the registry */
    const char *secrets_dir;      /* tmpfs folder with SERVICE/NAME files */
    const char *subnet;           /* of its network, ADDRESS/BITS; "" or NULL: the Engine chooses */
};

/* On each container: seconds between TERM and KILL, as the release asks for. */
#define RENDER_GRACE_LABEL "fairlead.grace_s"

/* On what belongs to one set; without it: the first. */
#define RENDER_SET_LABEL "fairlead.set"

/* The names on the Engine, all derived from node, instance and set; a volume is the instance's, whichever
 * sets mount it, and has a name for each of its copies. */
char *render_project(struct arena *arena, const char *node, const char *instance, const char *letter);
char *render_volume(struct arena *arena, const Fairlead__V1__Stack *stack, const char *instance,
                    const char *volume);
/* Is it (a name on the Engine) a copy that the stack mounts? */
bool render_mounts(const Fairlead__V1__Stack *stack, const char *instance, const char *name);

/* The file as JSON (for look and check) and as text. Class park. The caller releases *ret_json and frees
 * *ret_text. */
MUST_CHECK int render_compose(const struct render_input *input, json_t **ret_json, char **ret_text,
                              struct err *err);

#endif
