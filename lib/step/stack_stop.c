/* Stopping an instance, and taking it away: by what carries its label, also without its Compose file. */
#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "io/engine.h"
#include "model/render.h"
#include "model/tables.h"
#include "step/image.h"
#include "step/stack_own.h"

#include <stdio.h>

#define GRACE_S 40 /* of a container that an earlier version made, and that names none */

/* As the release asks for: its label, which needs no Compose file. */
static int64_t grace_of(const json_t *container) {
    const json_t *config = json_object_get(container, "Config");
    int64_t grace_s;
    if (str_to_int(json_str(json_object_get(config, "Labels"), RENDER_GRACE_LABEL), 0, 3600, &grace_s))
        return grace_s;
    return json_int(config, "StopTimeout", GRACE_S);
}

int stack_take_away(struct step_context *ctx, const json_t *container, struct err *err) {
    char path[160];
    long status;
    int64_t code = 0, grace_s = grace_of(container);
    const char *id = json_str(container, "Id"), *service = stack_service_of(container);
    if (engine_stop(ctx->machine->engine_socket, id, grace_s, &code, err) < 0)
        return -1;
    if (code == 137)
        str_addf(&ctx->out->result.log,
                 "\"%s\" did not end within the %lld s that it asks for, and was killed\n",
                 service ? service : "a container", (long long)grace_s);
    (void)snprintf(path, sizeof path, "/containers/%.64s?force=true", id);
    return engine_call(ctx->machine->engine_socket, "DELETE", path, NULL, 60000000, &status, NULL, err);
}

static int remove_leftovers(struct step_context *ctx, struct stack *stack, struct err *err) {
    size_t i;
    json_t *one;
    if (stack_list(ctx, stack, err) < 0)
        return -1;
    json_array_foreach(stack->containers, i, one) {
        if (stack_take_away(ctx, one, err) < 0)
            return -1;
    }
    return 0;
}

/* A network whose containers went first, because somebody was killed between the two. */
static int prune_networks(struct step_context *ctx, struct err *err) {
    char path[400];
    long status;
    (void)snprintf(path, sizeof path,
                   "/networks/"
                   "prune?filters=%%7B%%22label%%22%%3A%%5B%%22fairlead.instance%%3D%s%%22%%2C%%22fairlead."
                   "node%%3D%s%%22%%5D%%7D",
                   ctx->instance, ctx->node);
    return engine_call(ctx->machine->engine_socket, "POST", path, NULL, 20000000, &status, NULL, err);
}

/* Volumes by the label that they were made with, also those of a file that is gone: the copies that this set
 * mounts. The Engine keeps one that another set is using. */
static int remove_volumes(struct step_context *ctx, const struct stack *stack, struct err *err) {
    char path[400];
    long status;
    size_t i;
    json_t *one;
    cleanup_json json_t *list = NULL;
    (void)snprintf(path, sizeof path,
                   "/volumes?filters=%%7B%%22label%%22%%3A%%5B%%22fairlead.instance%%3D%s%%22%%5D%%7D",
                   ctx->instance);
    if (engine_call(ctx->machine->engine_socket, "GET", path, NULL, 20000000, &status, &list, err) < 0)
        return -1;
    json_array_foreach(json_object_get(list, "Volumes"), i, one) {
        const char *name = json_str(one, "Name");
        if (!str_eq(json_str(json_object_get(one, "Labels"), "fairlead.node"), ctx->node) ||
            !render_mounts(stack->want, ctx->instance, name))
            continue;
        (void)snprintf(path, sizeof path, "/volumes/%.200s?force=true", name);
        if (engine_call(ctx->machine->engine_socket, "DELETE", path, NULL, 60000000, &status, NULL, err) < 0)
            return -1;
        if (status >= 400 && status != 404)
            return step_fail(ctx, err, ERR_RETRY, "volume_busy",
                             "A volume of the app cannot be removed yet.");
    }
    return 0;
}

/* Without force: one that another container stands on stays. What cannot be removed costs room and nothing
 * else. */
static int remove_images(struct step_context *ctx, const struct stack *stack, struct err *err) {
    long status;
    for (size_t i = 0; i < stack->want->n_images; i++) {
        image_forget(ctx, stack->want->images[i]->value);
        const char *path = arena_printf(ctx->arena, "/images/%.100s/%.300s", ctx->machine->registry,
                                        stack->want->images[i]->value);
        if (engine_call(ctx->machine->engine_socket, "DELETE", path, NULL, 60000000, &status, NULL, err) < 0)
            return -1;
    }
    return 0;
}

static int unguard(struct step_context *ctx, const struct stack *stack, struct err *err) {
    struct nft_guard guard = stack_guard(ctx, stack);
    if (!ctx->machine->guard)
        return 0;
    if (nft_guard_remove(&guard, err) < 0)
        return step_fail(ctx, err, err->cls, "guard_failed",
                         "The guard of the app's port cannot be removed: %s",
                         arena_strdup(ctx->arena, err->text));
    return 0;
}

/* Another set was made here, and not taken away: it may be stopped. */
static bool has_sibling_files(const struct step_context *ctx) {
    for (char letter[2] = "a"; letter[0] <= 'z'; letter[0]++) {
        bool first = str_eq(letter, SET_FIRST);
        const char *folder = arena_printf(ctx->arena, "%s/stacks/%s%s%s", ctx->machine->state, ctx->instance,
                                          first ? "" : ".", first ? "" : letter);
        if (!str_eq(letter, ctx->letter) && file_exists(folder))
            return true;
    }
    return false;
}

int stack_stop(struct step_context *ctx, struct stack *stack, bool absent, struct err *err) {
    struct compose compose = stack_compose(ctx, stack);
    bool purge = absent && stack->want->purge;
    /* A port that was given back may be somebody else's by now: it is closed by whom it was opened for only.
     */
    bool ours = !absent || file_exists(stack->file) || json_array_size(stack->containers);
    /* By a file of ours: the one that lies there may be anybody's by now. What Compose cannot take down,
     * because of the file or for whatever reason, is taken by its label. */
    struct err passed = {0};
    if (json_array_size(stack->containers) &&
        (stack_write(ctx, stack, &passed) < 0 || compose_down(&compose, false, &passed) < 0)) {
        if (*ctx->machine->cancel)
            return step_fail(ctx, err, ERR_RETRY, "stopping", "The worker is stopping.");
        str_addf(&ctx->out->result.log, "%s\n", passed.text);
        ctx->out->result.code = NULL;
    }
    if (stack_find_network(ctx, stack, err) < 0 || remove_leftovers(ctx, stack, err) < 0 ||
        fault_check(FAULT_STOP_DOWN, err) < 0 || prune_networks(ctx, err) < 0 ||
        (ours && unguard(ctx, stack, err) < 0) || fault_check(FAULT_STOP_UNGUARDED, err) < 0)
        return -1;
    /* Secrets are the instance's: they stay for as long as another set of it may start. */
    bool kept = stack->sibling || (purge && has_sibling_files(ctx));
    if ((!kept && secrets_remove(&stack->secrets, purge, err) < 0) ||
        fault_check(FAULT_STOP_SECRETS, err) < 0)
        return -1;
    for (size_t i = 0; i < stack->want->n_images && !absent; i++)
        image_drop(ctx, stack->want->images[i]->value);
    if (!absent)
        return 0;
    if ((purge && remove_volumes(ctx, stack, err) < 0) || fault_check(FAULT_REMOVE_VOLUMES, err) < 0 ||
        remove_images(ctx, stack, err) < 0 || fault_check(FAULT_REMOVE_IMAGES, err) < 0)
        return -1;
    stack_record(ctx, stack, NULL);
    if (file_remove_tree(arena_printf(ctx->arena, "%s/stacks/%s", ctx->machine->state, ctx->place), err) < 0)
        return -1;
    return fault_check(FAULT_REMOVE_FILES, err);
}
