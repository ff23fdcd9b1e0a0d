/* For the files of the stack step: what it knows of an instance from look to check. */
#ifndef FAIRLEAD_STEP_STACK_OWN_H
#define FAIRLEAD_STEP_STACK_OWN_H

#include "io/compose.h"
#include "io/nft.h"
#include "node/secrets.h"
#include "step/step.h"

#include <jansson.h>

#define YAML_FILE_MAX 262144 /* of a rendered Compose file */

struct stack {
    Fairlead__V1__Stack *want;
    json_t *spec, *compose; /* compose: as rendered, once it is */
    char *text;             /* of the Compose file, as rendered */
    const char **image_ids; /* with it: of the images that are wanted; NULL: by their digest */
    json_t *containers;     /* of this set on this node, inspected */
    bool ended;             /* it ran until its time, and nobody said since that it may go on */
    bool sibling;           /* another set of the instance has containers here */
    char *project, file[600];
    char network[65], bridge[20]; /* id and interface of its network; "" while there is none */
    struct secrets secrets;
};

struct compose stack_compose(struct step_context *ctx, const struct stack *stack);
/* ---- stack_file.c ---- */

/* Renders the Compose file; writes nothing. Class park. */
MUST_CHECK int stack_render(struct step_context *ctx, struct stack *stack, struct err *err);
/* Renders it, and writes it where Compose reads it. */
MUST_CHECK int stack_write(struct step_context *ctx, struct stack *stack, struct err *err);
/* The configuration repository: a branch per node, never a secret in it. It holds nothing up. content NULL:
 * gone. */
void stack_record(struct step_context *ctx, const struct stack *stack, const char *content);

/* ---- stack_look.c: what the Engine says ---- */

enum stack_health { STACK_GONE, STACK_PAUSED, STACK_STARTING, STACK_BAD, STACK_GOOD };

/* Is what carries these labels of this node, instance and set? */
bool stack_owns(const struct step_context *ctx, const json_t *labels);
MUST_CHECK int stack_list(struct step_context *ctx, struct stack *stack, struct err *err);
/* Finds its network, and the bridge that it is on this machine. */
MUST_CHECK int stack_find_network(struct step_context *ctx, struct stack *stack, struct err *err);
const json_t *stack_container(const struct stack *stack, const char *service);
const char *stack_service_of(const json_t *container);
/* Of the revision that is wanted. */
bool stack_is_ours(const struct stack *stack, const json_t *container);
/* The least healthy of all services; *ret_service names it. What the Engine does not call healthy is asked
 * here and now by its own health test: the Engine's word is an interval old, and its first comes an interval
 * late. */
enum stack_health stack_health(struct step_context *ctx, const struct stack *stack, const char **ret_service);
struct nft_guard stack_guard(const struct step_context *ctx, const struct stack *stack);

/* ---- stack_drift.c: what somebody else changed ---- */

/* 1: it is as it was left. 0: something is not, and step_drift() was told. Negative: the Engine does not
 * answer. */
MUST_CHECK int stack_compare(struct step_context *ctx, struct stack *stack, struct err *err);
/* Takes away what compose would leave as it is: paused or edited containers, strangers in the network. */
MUST_CHECK int stack_clear_drift(struct step_context *ctx, struct stack *stack, struct err *err);
/* Remembers how the containers look now, to know an edited one by. */
MUST_CHECK int stack_remember(struct step_context *ctx, const struct stack *stack, struct err *err);

/* ---- stack_subnet.c ---- */

/* The subnet of the app's network, ADDRESS/BITS: the one that it has, else one of the machine's range that no
 * network of this Engine and no route of this machine uses. "" where it has one of the Engine's own choice,
 * or the machine has no range: the Engine then has some thirty for all apps. Class retry; park: the range is
 * used up. */
MUST_CHECK int stack_subnet(struct step_context *ctx, char ret[32], struct err *err);

/* ---- stack_stop.c ---- */

/* TERM, as long as its release asks for, then KILL; and removed. */
MUST_CHECK int stack_take_away(struct step_context *ctx, const json_t *container, struct err *err);

MUST_CHECK int stack_stop(struct step_context *ctx, struct stack *stack, bool absent, struct err *err);

#endif
