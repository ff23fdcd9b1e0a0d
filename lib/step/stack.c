/* F3 and F4: the stack of an instance on this host. Make before break: render, check, preflight and pull come
 * before anything that runs is touched; on any failure the old containers keep serving. */
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "io/compose.h"
#include "io/engine.h"
#include "io/git.h"
#include "model/render.h"
#include "node/secrets.h"
#include "step/step.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* From look to check. */
struct stack {
    Fairlead__V1__Stack *want;
    json_t *spec, *compose;
    char *text;
    json_t *containers; /* of this instance on this node, inspected */
    char *project, file[600];
    struct secrets secrets;
};

static int list_containers(struct step_context *ctx, struct stack *stack, struct err *err) {
    json_t *all = NULL;
    if (engine_containers(ctx->machine->engine_socket,
                          arena_printf(ctx->arena, "fairlead.instance=%s", ctx->instance), &all, err) < 0)
        return step_fail(ctx, err, ERR_RETRY, "engine_down", "%s", arena_strdup(ctx->arena, err->text));
    json_decref(stack->containers);
    stack->containers = json_array();
    size_t i;
    json_t *one;
    json_array_foreach(all, i, one) {
        /* Two nodes may share one Engine: a node sees only what carries its label. */
        const json_t *labels = json_object_get(json_object_get(one, "Config"), "Labels");
        if (str_eq(json_str(labels, "fairlead.node"), ctx->node))
            (void)json_array_append(stack->containers, one);
    }
    json_decref(all);
    return 0;
}

static const char *service_of(const json_t *container) {
    return json_str(json_object_get(json_object_get(container, "Config"), "Labels"),
                    "com.docker.compose.service");
}

static const json_t *find_container(const struct stack *stack, const char *service) {
    size_t i;
    json_t *one;
    json_array_foreach(stack->containers, i, one) {
        if (str_eq(service_of(one), service))
            return one;
    }
    return NULL;
}

enum health { HEALTH_GONE, HEALTH_STARTING, HEALTH_BAD, HEALTH_GOOD };

static enum health health_of(const json_t *container) {
    const json_t *state = json_object_get(container, "State");
    const char *health = json_str(json_object_get(state, "Health"), "Status");
    if (!container || !json_is_true(json_object_get(state, "Running")) ||
        json_is_true(json_object_get(state, "Paused")))
        return HEALTH_GONE;
    if (str_eq(health, "healthy"))
        return HEALTH_GOOD;
    return str_eq(health, "unhealthy") ? HEALTH_BAD : HEALTH_STARTING;
}

static bool is_ours(const struct stack *stack, const json_t *container) {
    return str_eq(
        json_str(json_object_get(json_object_get(container, "Config"), "Labels"), "fairlead.identity"),
        stack->want->identity);
}

/* The least healthy of all services; *ret_service names it. */
static enum health stack_health(const struct stack *stack, const char **ret_service) {
    enum health worst = HEALTH_GOOD;
    const char *service;
    json_t *rule;
    json_object_foreach(json_object_get(stack->spec, "services"), service, rule) {
        const json_t *container = find_container(stack, service);
        enum health h = container && is_ours(stack, container) ? health_of(container) : HEALTH_GONE;
        if (h < worst) {
            worst = h;
            *ret_service = service;
        }
    }
    return worst;
}

static int open_stack(struct step_context *ctx, struct stack *stack, struct err *err) {
    stack->want = fairlead__v1__stack__unpack(NULL, ctx->document->content.len, ctx->document->content.data);
    stack->spec = stack->want ? json_loads(stack->want->spec, 0, NULL) : NULL;
    if (!stack->spec)
        return step_fail(ctx, err, ERR_PARK, "bad_document", "The stack document cannot be read.");
    stack->project = render_project(ctx->arena, ctx->node, ctx->instance);
    stack->secrets =
        (struct secrets){ctx->machine->node, ctx->machine->state, ctx->machine->secrets_dir, ctx->instance};
    (void)snprintf(stack->file, sizeof stack->file, "%s/stacks/%s/compose.yaml", ctx->machine->state,
                   ctx->instance);
    return list_containers(ctx, stack, err);
}

static struct compose compose_of(struct step_context *ctx, const struct stack *stack) {
    return (struct compose){ctx->machine->engine_socket, stack->project, stack->file, ctx->machine->cancel,
                            &ctx->log};
}

static int seal_one(struct step_context *ctx, const struct stack *stack, const char *name, const uint8_t *to,
                    struct vec *out, struct err *err) {
    void *box;
    size_t n;
    const json_t *rule = json_object_get(json_object_get(stack->spec, "secrets"), name);
    if (secrets_seal(&stack->secrets, name, rule, to, ctx->arena, &box, &n, err) < 0)
        return -1;
    *vec_add(ctx->arena, out, struct step_secret) =
        (struct step_secret){arena_strdup(ctx->arena, name), box, n};
    return 0;
}

static int deliver(struct step_context *ctx, const struct stack *stack, struct err *err) {
    const char *name;
    json_t *rule;
    for (size_t i = 0; i < stack->want->n_deliver; i++)
        if (seal_one(ctx, stack, stack->want->deliver[i], ctx->machine->node->coordinator_seal,
                     &ctx->delivered, err) < 0)
            return -1;
    if (stack->want->recovery_key.len != SEAL_PUBLIC_SIZE)
        return 0;
    json_object_foreach(json_object_get(stack->spec, "secrets"), name, rule) {
        if (seal_one(ctx, stack, name, stack->want->recovery_key.data, &ctx->recovery, err) < 0)
            return -1;
    }
    return 0;
}

static int look(struct step_context *ctx, struct err *err) {
    struct stack *stack = arena_new(ctx->arena, struct stack);
    const char *service;
    ctx->own = stack;
    if (open_stack(ctx, stack, err) < 0)
        return -1;
    if (ctx->document->absent || !stack->want->running)
        return 0; /* what is left is found and taken away by acting: it is cheap when there is nothing */
    if (stack_health(stack, &service) != HEALTH_GOOD)
        return 0;
    /* What is delivered once is sealed on every way to healthy: the report before may have been lost. */
    return deliver(ctx, stack, err) < 0 ? -1 : 1;
}

/* ---- starting ---- */

static int64_t memory_free_mb(void) {
    char line[128];
    long long kb = 0;
    cleanup_fclose FILE *f = fopen("/proc/meminfo", "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %lld", &kb) == 1)
            break;
    return kb / 1024;
}

static bool port_is_free(const char *address, unsigned port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    cleanup_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    (void)inet_pton(AF_INET, address, &at.sin_addr);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0;
}

/* F4: says which resource is missing, before anything is touched. */
static int preflight(struct step_context *ctx, const struct stack *stack, struct err *err) {
    struct statvfs fs;
    const Fairlead__V1__Stack *want = stack->want;
    if (json_array_size(stack->containers))
        return 0; /* it has its room already */
    if (!port_is_free(want->address, want->port))
        return step_fail(ctx, err, ERR_RETRY, "port_taken", "Port %u of %s is taken by something else.",
                         want->port, want->address);
    if (memory_free_mb() < want->memory_mb)
        return step_fail(ctx, err, ERR_RETRY, "memory_short",
                         "The machine has %lld MB of free memory; %u MB are needed.",
                         (long long)memory_free_mb(), want->memory_mb);
    if (statvfs(ctx->machine->state, &fs) == 0 &&
        (uint64_t)fs.f_bavail * fs.f_frsize / 1048576 < want->disk_mb)
        return step_fail(ctx, err, ERR_RETRY, "disk_short",
                         "The machine has %llu MB of free disk; %u MB are needed.",
                         (unsigned long long)((uint64_t)fs.f_bavail * fs.f_frsize / 1048576), want->disk_mb);
    return 0;
}

static int render(struct step_context *ctx, struct stack *stack, struct err *err) {
    char folder[600];
    struct render_input input = {
        .stack = stack->want,
        .spec = stack->spec,
        .instance = ctx->instance,
        .node = ctx->node,
        .revision = ctx->document->revision,
        .generation = ctx->document->generation,
        .registry = ctx->machine->registry,
        .secrets_dir = arena_printf(ctx->arena, "%s/%s", ctx->machine->secrets_dir, ctx->instance),
    };
    if (render_compose(&input, &stack->compose, &stack->text, err) < 0)
        return step_fail(ctx, err, ERR_PARK, "bad_template", "%s", arena_strdup(ctx->arena, err->text));
    (void)snprintf(folder, sizeof folder, "%s/stacks/%s", ctx->machine->state, ctx->instance);
    if (file_mkdirs(folder, 0700, err) < 0 ||
        file_write(stack->file, stack->text, strlen(stack->text), 0600, err) < 0)
        return -1;
    struct compose compose = compose_of(ctx, stack);
    if (compose_check(&compose, err) < 0)
        return step_fail(ctx, err, err->cls, "bad_compose", "The Compose file is not valid: %s",
                         arena_strdup(ctx->arena, err->text));
    return 0;
}

/* The configuration repository: a branch per node, never a secret in it. It holds nothing up. */
static void record(struct step_context *ctx, const struct stack *stack, const char *content) {
    struct err err = {0};
    char file[80], branch[64];
    const char *message =
        arena_printf(ctx->arena, "%s: revision %llu\n\ninstance %s\nintent %llu\n",
                     stack->want->instance_name, (unsigned long long)ctx->document->revision, ctx->instance,
                     (unsigned long long)ctx->document->generation);
    (void)snprintf(branch, sizeof branch, "node-%s", ctx->machine->node->name);
    (void)snprintf(file, sizeof file, "%s/compose.yaml", ctx->instance);
    const char *tree = arena_printf(ctx->arena, "%s/configuration", ctx->machine->state);
    if (git_commit_file(tree, branch, file, content, message, &err) < 0 ||
        git_push(tree, branch, ctx->machine->repository, &err) < 0)
        str_addf(&ctx->log, "the configuration repository has not taken this yet: %s\n", err.text);
}

static int pull(struct step_context *ctx, const struct stack *stack, struct err *err) {
    const char *service;
    json_t *rule;
    json_object_foreach(json_object_get(stack->compose, "services"), service, rule) {
        const char *image = json_str(rule, "image");
        if (engine_has_image(ctx->machine->engine_socket, image))
            continue;
        if (engine_pull(ctx->machine->engine_socket, image, err) < 0)
            return step_fail(ctx, err, err->cls, err->cls == ERR_PARK ? "image_missing" : "registry_down",
                             "%s", arena_strdup(ctx->arena, err->text));
    }
    return 0;
}

static void keep_logs(struct step_context *ctx, const json_t *container) {
    cleanup_free char *text =
        container ? engine_logs(ctx->machine->engine_socket, json_str(container, "Id"), 20) : NULL;
    if (text && strlen(text) < 6000)
        str_addf(&ctx->log, "%s\n", text);
}

/* Healthy so many times in a row, within the time that the release allows for its first start. */
static int wait_healthy(struct step_context *ctx, struct stack *stack, struct err *err) {
    const json_t *health = json_object_get(stack->spec, "health");
    int64_t deadline = clock_mono_us() + json_int(health, "start_s", 120) * CLOCK_S,
            times = json_int(health, "times", 2);
    const char *service = "";
    for (int64_t good = 0; good < times;) {
        if (list_containers(ctx, stack, err) < 0)
            return -1;
        enum health h = stack_health(stack, &service);
        good = h == HEALTH_GOOD ? good + 1 : 0;
        const json_t *worst = find_container(stack, service);
        bool dead = h == HEALTH_GONE && worst &&
                    str_eq(json_str(json_object_get(worst, "State"), "Status"), "exited");
        if (dead || h == HEALTH_BAD || clock_mono_us() > deadline) {
            keep_logs(ctx, worst);
            return step_fail(ctx, err, ERR_RETRY, dead ? "container_exited" : "unhealthy", "\"%s\" %s.",
                             service, dead ? "ended by itself" : "does not become healthy");
        }
        if (*ctx->machine->cancel)
            return step_fail(ctx, err, ERR_RETRY, "stopping", "The worker is stopping.");
        if (good < times)
            (void)usleep(200000);
    }
    return 0;
}

static int act_start(struct step_context *ctx, struct stack *stack, struct err *err) {
    if (preflight(ctx, stack, err) < 0 || render(ctx, stack, err) < 0 || pull(ctx, stack, err) < 0)
        return -1;
    record(ctx, stack, stack->text);
    if (secrets_ensure(&stack->secrets, stack->spec, err) < 0)
        return step_fail(ctx, err, err->cls, "secrets", "%s", arena_strdup(ctx->arena, err->text));
    struct compose compose = compose_of(ctx, stack);
    if (compose_up(&compose, err) < 0) {
        /* What did not become healthy says why better than Compose does. */
        struct err ignored = {0};
        const char *said = arena_strdup(ctx->arena, err->text);
        if (list_containers(ctx, stack, &ignored) == 0) {
            const char *service = "";
            (void)stack_health(stack, &service);
            keep_logs(ctx, find_container(stack, service));
        }
        return step_fail(ctx, err, err->cls, "up_failed", "%s", said);
    }
    return wait_healthy(ctx, stack, err);
}

/* ---- stopping and removing ---- */

static int remove_leftovers(struct step_context *ctx, struct stack *stack, struct err *err) {
    size_t i;
    json_t *one;
    long status;
    if (list_containers(ctx, stack, err) < 0)
        return -1;
    json_array_foreach(stack->containers, i, one) {
        char path[160];
        (void)snprintf(path, sizeof path, "/containers/%.64s?force=true", json_str(one, "Id"));
        if (engine_call(ctx->machine->engine_socket, "DELETE", path, NULL, 60000000, &status, NULL, err) < 0)
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

/* Volumes by the label that they were made with: also those of a file that is gone. */
static int remove_volumes(struct step_context *ctx, struct err *err) {
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
        if (!str_eq(json_str(json_object_get(one, "Labels"), "fairlead.node"), ctx->node))
            continue;
        (void)snprintf(path, sizeof path, "/volumes/%.200s?force=true", json_str(one, "Name"));
        if (engine_call(ctx->machine->engine_socket, "DELETE", path, NULL, 60000000, &status, NULL, err) < 0)
            return -1;
        if (status >= 400 && status != 404)
            return step_fail(ctx, err, ERR_RETRY, "volume_busy",
                             "A volume of the app cannot be removed yet.");
    }
    return 0;
}

static int act_stop(struct step_context *ctx, struct stack *stack, bool absent, struct err *err) {
    struct compose compose = compose_of(ctx, stack);
    bool purge = absent && stack->want->purge;
    if (file_exists(stack->file) && json_array_size(stack->containers) &&
        compose_down(&compose, false, err) < 0)
        return step_fail(ctx, err, err->cls, "down_failed", "%s", arena_strdup(ctx->arena, err->text));
    if (remove_leftovers(ctx, stack, err) < 0 || prune_networks(ctx, err) < 0)
        return -1;
    if (secrets_remove(&stack->secrets, purge, err) < 0)
        return -1;
    if (!absent)
        return 0;
    if (purge && remove_volumes(ctx, err) < 0)
        return -1;
    record(ctx, stack, NULL);
    return file_remove_tree(arena_printf(ctx->arena, "%s/stacks/%s", ctx->machine->state, ctx->instance),
                            err);
}

static int act(struct step_context *ctx, struct err *err) {
    struct stack *stack = ctx->own;
    if (ctx->document->absent || !stack->want->running)
        return act_stop(ctx, stack, ctx->document->absent, err);
    return act_start(ctx, stack, err);
}

/* ---- checking ---- */

/* Limits and digests as the Engine holds them, not as they were asked for. */
static int check_limits(struct step_context *ctx, const struct stack *stack, struct err *err) {
    const char *service;
    json_t *rule;
    json_object_foreach(json_object_get(stack->compose, "services"), service, rule) {
        const json_t *container = find_container(stack, service);
        const json_t *host = json_object_get(container, "HostConfig");
        int64_t memory = json_int(host, "Memory", 0), wanted = 0;
        if (sscanf(json_str(rule, "mem_limit"), "%ldm", &wanted) != 1 || memory != wanted * 1048576 ||
            json_int(host, "PidsLimit", 0) != stack->want->pids ||
            json_is_true(json_object_get(host, "Privileged")))
            return step_fail(ctx, err, ERR_RETRY, "wrong_limits",
                             "\"%s\" does not have the limits that it should have.", service);
        if (!str_eq(json_str(json_object_get(container, "Config"), "Image"), json_str(rule, "image")))
            return step_fail(ctx, err, ERR_RETRY, "wrong_image",
                             "\"%s\" does not run the image that it should run.", service);
        step_fact(ctx, arena_printf(ctx->arena, "%s.image", service),
                  json_str(json_object_get(container, "Config"), "Image"));
        step_fact(ctx, arena_printf(ctx->arena, "%s.memory", service),
                  arena_printf(ctx->arena, "%lld", (long long)memory));
    }
    step_fact(ctx, "compose", compose_driver() ? compose_driver()->name : "none");
    return 0;
}

static int check(struct step_context *ctx, struct err *err) {
    struct stack *stack = ctx->own;
    if (list_containers(ctx, stack, err) < 0)
        return -1;
    if (ctx->document->absent || !stack->want->running) {
        if (json_array_size(stack->containers))
            return step_fail(ctx, err, ERR_RETRY, "still_there", "A container of the app is still there.");
        return 0;
    }
    if (check_limits(ctx, stack, err) < 0)
        return -1;
    return deliver(ctx, stack, err);
}

static void end(struct step_context *ctx) {
    struct stack *stack = ctx->own;
    if (!stack)
        return;
    if (stack->want)
        fairlead__v1__stack__free_unpacked(stack->want, NULL);
    json_decref(stack->spec);
    json_decref(stack->compose);
    json_decref(stack->containers);
    free(stack->text);
}

const struct step step_stack = {.name = "stack", .look = look, .act = act, .check = check, .end = end};
