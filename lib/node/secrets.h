/* Secrets of apps (design section 6): made here, kept sealed to this node's own key on disk, in clear only on
 * tmpfs, one file per reader with the mode 0400. Sealed once more for whoever must have them: the plane's
 * recovery key, and the coordinator for those that a customer sees once. */
#ifndef FAIRLEAD_NODE_SECRETS_H
#define FAIRLEAD_NODE_SECRETS_H

#include "base/err.h"
#include "base/mem.h"
#include "node/node.h"

#include <jansson.h>

struct secrets {
    const struct node_identity *node;
    const char *state, *secrets_dir; /* secrets_dir: a tmpfs */
    const char *instance;            /* hex */
};

/* Makes those that are missing, and writes the files of every reader. Class retry. */
MUST_CHECK int secrets_ensure(const struct secrets *secrets, const json_t *spec, struct err *err);
/* The name of one whose file some reader lacks, or that is not as it was written; NULL: all are there. */
const char *secrets_missing(const struct secrets *secrets, const json_t *spec);
/* A secret sealed to somebody's key, as JSON that repeats whose it is: {instance, name, value, user, title}.
 */
MUST_CHECK int secrets_seal(const struct secrets *secrets, const char *name, const json_t *rule,
                            const uint8_t *to, struct arena *arena, void **ret, size_t *ret_n,
                            struct err *err);
/* One in clear, for whom it is shown to. */
#define SECRET_MAX 256
MUST_CHECK int secrets_open(const struct secrets *secrets, const char *name, char out[SECRET_MAX],
                            struct err *err);
/* The clear files go; with `for_ever`, the sealed ones too. */
MUST_CHECK int secrets_remove(const struct secrets *secrets, bool for_ever, struct err *err);
/* A tmpfs of our own at that folder, unless it is one already. Class park. */
MUST_CHECK int secrets_mount(const char *folder, struct err *err);

#endif
