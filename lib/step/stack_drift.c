/* Drift of a stack: what somebody changed on the machine since it was last as it should be. The containers
 * are known by a hash over how the Engine shows them, taken when they had been checked: whatever is edited,
 * that changes. Everything else is compared with what this step would make. */
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/str.h"
#include "io/engine.h"
#include "step/stack_own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEN_MAX 65536

static int by_destination(const void *a, const void *b) {
    const char *x = json_str(*(json_t *const *)a, "Destination"),
               *y = json_str(*(json_t *const *)b, "Destination");
    return strcmp(x ? x : "", y ? y : "");
}

/* The Engine lists mounts in any order. */
static json_t *sorted_mounts(const json_t *container) {
    const json_t *mounts = json_object_get(container, "Mounts");
    size_t n = json_array_size(mounts), i;
    json_t *one, *out = json_array();
    cleanup_free json_t **all = mem_alloc((n + 1) * sizeof *all);
    json_array_foreach(mounts, i, one) {
        all[i] = one;
    }
    qsort(all, n, sizeof *all, by_destination);
    for (i = 0; i < n; i++)
        (void)json_array_append(out, all[i]);
    return out;
}

/* What of a container must not change while it lives: not its state, not its addresses. */
static void fingerprint(const json_t *container, char hex[HASH_HEX_SIZE]) {
    cleanup_json json_t *networks = json_array(), *mounts = sorted_mounts(container);
    const char *name;
    json_t *v;
    json_object_foreach(json_object_get(json_object_get(container, "NetworkSettings"), "Networks"), name, v) {
        (void)json_array_append_new(networks, json_string(name));
    }
    cleanup_json json_t *parts =
        json_pack("{s:O?, s:O?, s:O?, s:O, s:O}", "image", json_object_get(container, "Image"), "config",
                  json_object_get(container, "Config"), "host", json_object_get(container, "HostConfig"),
                  "mounts", mounts, "networks", networks);
    cleanup_free char *text = parts ? json_text(parts) : mem_strdup("");
    hash_hex(hash_of(text, strlen(text)), hex);
}

static const char *seen_path(struct step_context *ctx) {
    return arena_printf(ctx->arena, "%s/stacks/%s/seen.json", ctx->machine->state, ctx->place);
}

/* {"service": "hash"}; NULL when nothing was remembered. */
static json_t *read_seen(struct step_context *ctx) {
    cleanup_free char *text = NULL;
    const char *path = seen_path(ctx);
    if (!file_exists(path) || file_read(path, SEEN_MAX, &text, NULL, NULL) < 0)
        return NULL;
    return json_loads(text, 0, NULL);
}

int stack_remember(struct step_context *ctx, const struct stack *stack, struct err *err) {
    cleanup_json json_t *seen = json_object();
    const char *service, *path = seen_path(ctx);
    json_t *rule;
    json_object_foreach(json_object_get(stack->spec, "services"), service, rule) {
        char hex[HASH_HEX_SIZE];
        fingerprint(stack_container(stack, service), hex);
        (void)json_object_set_new(seen, service, json_string(hex));
    }
    cleanup_free char *text = json_text(seen), *before = NULL;
    if (file_exists(path) && file_read(path, SEEN_MAX, &before, NULL, NULL) == 0 && str_eq(before, text))
        return 0;
    return file_write(path, text, strlen(text), 0600, err);
}

static bool is_edited(const json_t *seen, const json_t *container, const char *service) {
    char hex[HASH_HEX_SIZE];
    const char *was = json_str(seen, service);
    if (!was || !container)
        return false;
    fingerprint(container, hex);
    return !str_eq(was, hex);
}

static int compare_containers(struct step_context *ctx, const struct stack *stack) {
    static const char *const words[] = {[STACK_GONE] = "does not run",
                                        [STACK_PAUSED] = "was paused",
                                        [STACK_STARTING] = "is not healthy yet",
                                        [STACK_BAD] = "is not healthy"};
    const char *service = "";
    json_t *rule;
    cleanup_json json_t *seen = read_seen(ctx);
    enum stack_health health = stack_health(ctx, stack, &service);
    if (health != STACK_GOOD)
        return step_drift(ctx, "The container of \"%s\" %s.", service, words[health]);
    json_object_foreach(json_object_get(stack->spec, "services"), service, rule) {
        if (is_edited(seen, stack_container(stack, service), service))
            return step_drift(ctx, "The container of \"%s\" was changed by somebody else.", service);
    }
    return 1;
}

static int compare_files(struct step_context *ctx, struct stack *stack, struct err *err) {
    cleanup_free char *text = NULL;
    if (stack_render(ctx, stack, err) < 0)
        return -1;
    if (!file_exists(stack->file) || file_read(stack->file, YAML_FILE_MAX, &text, NULL, NULL) < 0 ||
        !str_eq(text, stack->text))
        return step_drift(ctx, "The Compose file was changed by somebody else.");
    const char *missing = secrets_missing(&stack->secrets, stack->spec);
    return missing ? step_drift(ctx, "The file of the secret \"%s\" is gone or was changed.", missing) : 1;
}

/* The digest must still name the image that runs. */
static int compare_images(struct step_context *ctx, const struct stack *stack) {
    const char *service;
    json_t *rule;
    json_object_foreach(json_object_get(stack->compose, "services"), service, rule) {
        cleanup_free char *id = engine_image_id(ctx->machine->engine_socket, json_str(rule, "image"));
        if (!str_eq(id, json_str(stack_container(stack, service), "Image")))
            return step_drift(ctx, "The image of \"%s\" was tagged anew or removed.", service);
    }
    return 1;
}

/* Calls each() for containers in the network that are not of this instance. Returns how many; negative:
 * error. */
static int strangers(struct step_context *ctx, const struct stack *stack,
                     int (*each)(struct step_context *ctx, const struct stack *stack, const char *id,
                                 struct err *err),
                     struct err *err) {
    char path[160];
    long status;
    const char *id;
    json_t *v, *one;
    size_t i;
    int n = 0;
    cleanup_json json_t *network = NULL;
    if (!stack->network[0])
        return 0;
    (void)snprintf(path, sizeof path, "/networks/%s", stack->network);
    if (engine_call(ctx->machine->engine_socket, "GET", path, NULL, 20000000, &status, &network, err) < 0)
        return -1;
    json_object_foreach(json_object_get(network, "Containers"), id, v) {
        bool ours = false;
        json_array_foreach(stack->containers, i, one) {
            ours = ours || str_eq(json_str(one, "Id"), id);
        }
        if (ours)
            continue;
        n++;
        if (each && each(ctx, stack, id, err) < 0)
            return -1;
    }
    return n;
}

static int compare_network(struct step_context *ctx, struct stack *stack, struct err *err) {
    if (stack_find_network(ctx, stack, err) < 0)
        return step_fail(ctx, err, ERR_RETRY, "engine_down", "%s", arena_strdup(ctx->arena, err->text));
    int n = strangers(ctx, stack, NULL, err);
    if (n < 0)
        return step_fail(ctx, err, ERR_RETRY, "engine_down", "%s", arena_strdup(ctx->arena, err->text));
    if (n > 0)
        return step_drift(ctx, "A stranger had joined the network of the app.");
    struct nft_guard guard = stack_guard(ctx, stack);
    if (ctx->machine->guard && !nft_guard_holds(&guard))
        return step_drift(ctx, "The guard of the app's port was changed by somebody else.");
    return 1;
}

int stack_compare(struct step_context *ctx, struct stack *stack, struct err *err) {
    int rc = compare_containers(ctx, stack);
    if (rc == 1)
        rc = compare_files(ctx, stack, err);
    if (rc == 1)
        rc = compare_images(ctx, stack);
    return rc == 1 ? compare_network(ctx, stack, err) : rc;
}

static int disconnect(struct step_context *ctx, const struct stack *stack, const char *id, struct err *err) {
    char path[160];
    long status;
    cleanup_json json_t *body = json_pack("{s:s, s:b}", "Container", id, "Force", 1);
    (void)snprintf(path, sizeof path, "/networks/%s/disconnect", stack->network);
    return engine_call(ctx->machine->engine_socket, "POST", path, body, 20000000, &status, NULL, err);
}

int stack_clear_drift(struct step_context *ctx, struct stack *stack, struct err *err) {
    size_t i;
    json_t *one;
    long status;
    char path[160];
    cleanup_json json_t *seen = read_seen(ctx);
    json_array_foreach(stack->containers, i, one) {
        const char *service = stack_service_of(one), *id = json_str(one, "Id");
        bool paused = json_is_true(json_object_get(json_object_get(one, "State"), "Paused"));
        if (paused) {
            (void)snprintf(path, sizeof path, "/containers/%.64s/unpause", id);
            if (engine_call(ctx->machine->engine_socket, "POST", path, NULL, 20000000, &status, NULL, err) <
                0)
                return -1;
        }
        /* One of another revision is compose's to replace; one that was edited looks right to it. */
        if (!stack_is_ours(stack, one) || !is_edited(seen, one, service))
            continue;
        if (stack_take_away(ctx, one, err) < 0)
            return -1;
    }
    if (stack_find_network(ctx, stack, err) < 0)
        return -1;
    return strangers(ctx, stack, disconnect, err) < 0 ? -1 : 0;
}
