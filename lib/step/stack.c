/* F3 and F4: the stack of an instance on this host. Make before break: render, check, preflight and pull come
 * before anything that runs is touched; on any failure the old containers keep serving. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/json.h"
#include "io/engine.h"
#include "model/render.h"
#include "step/disk_meter.h"
#include "step/image.h"
#include "step/stack_own.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* By what was heard of the coordinator's clock, and time since then: a machine without a link ends a trial by
 * itself. */
static bool is_over(const struct step_machine *machine, const Fairlead__V1__Stack *want) {
    return want->running && want->run_until_us && machine->heartbeat &&
           heartbeat_time(machine->heartbeat) >= want->run_until_us;
}

static int fail_ended(struct step_context *ctx, struct err *err) {
    return step_fail(ctx, err, ERR_RETRY, "ended",
                     "The time of this app has ended, so it was stopped here. Its data is kept.");
}

static int open_stack(struct step_context *ctx, struct stack *stack, struct err *err) {
    stack->want = fairlead__v1__stack__unpack(NULL, ctx->document->content.len, ctx->document->content.data);
    stack->spec = stack->want ? json_loads(stack->want->spec, 0, NULL) : NULL;
    if (!stack->spec)
        return step_fail(ctx, err, ERR_PARK, "bad_document", "The stack document cannot be read.");
    stack->ended = is_over(ctx->machine, stack->want);
    stack->project = render_project(ctx->arena, ctx->node, ctx->instance, ctx->letter);
    stack->secrets =
        (struct secrets){ctx->machine->node, ctx->machine->state, ctx->machine->secrets_dir, ctx->instance};
    (void)snprintf(stack->file, sizeof stack->file, "%s/stacks/%s/compose.yaml", ctx->machine->state,
                   ctx->place);
    return stack_list(ctx, stack, err);
}

struct compose stack_compose(struct step_context *ctx, const struct stack *stack) {
    return (struct compose){ctx->machine->engine_socket, stack->project, stack->file, ctx->machine->cancel,
                            &ctx->out->result.log};
}

static int seal_one(struct step_context *ctx, const struct stack *stack, const char *name, const uint8_t *to,
                    struct vec *out, struct err *err) {
    void *box;
    size_t n;
    const json_t *rule = json_object_get(json_object_get(stack->spec, "secrets"), name);
    if (secrets_seal(&stack->secrets, name, rule, to, ctx->arena, &box, &n, err) < 0)
        return -1;
    *vec_add(ctx->arena, out, struct keeper_secret) =
        (struct keeper_secret){arena_strdup(ctx->arena, name), box, n};
    return 0;
}

/* Who holds the recovery key is the document's word; in a private plane it was pinned, and nothing is
 * delivered to anybody: whoever signs documents there gets no secret by signing. */
static int deliver(struct step_context *ctx, const struct stack *stack, struct err *err) {
    const char *name;
    json_t *rule;
    const struct node_identity *node = ctx->machine->node;
    const struct key_set coordinator = node_key_set(node);
    const uint8_t *recovery = node->is_private ? node->recovery
                              : stack->want->recovery_key.len == SEAL_PUBLIC_SIZE
                                  ? stack->want->recovery_key.data
                                  : NULL;
    for (size_t i = 0; i < stack->want->n_deliver && !node->is_private; i++)
        if (seal_one(ctx, stack, stack->want->deliver[i], coordinator.seal, &ctx->out->delivered, err) < 0)
            return -1;
    if (!recovery)
        return 0;
    json_object_foreach(json_object_get(stack->spec, "secrets"), name, rule) {
        if (seal_one(ctx, stack, name, recovery, &ctx->out->recovery, err) < 0)
            return -1;
    }
    return 0;
}

/* Measured, not enforced: its owner and the operator learn how full it is. */
static void tell_disk(struct step_context *ctx, const struct stack *stack) {
    int64_t mb = -1;
    if (ctx->machine->disk)
        ctx->out->news = disk_meter_news(ctx->machine->disk, ctx->instance, stack->want->disk_mb, &mb);
    if (mb >= 0)
        step_fact(ctx, "disk_used_mb", arena_printf(ctx->arena, "%lld", (long long)mb));
}

static int look(struct step_context *ctx, struct err *err) {
    struct stack *stack = arena_new(ctx->arena, struct stack);
    ctx->own = stack;
    if (open_stack(ctx, stack, err) < 0)
        return -1;
    if (stack->ended)
        return json_array_size(stack->containers) ? 0 : fail_ended(ctx, err);
    if (ctx->document->absent || !stack->want->running)
        /* What is left is found and taken away by acting: it is cheap when there is nothing. */
        return json_array_size(stack->containers) ? step_drift(ctx, "A container runs that should not.") : 0;
    int as_wanted = stack_compare(ctx, stack, err);
    if (as_wanted != 1)
        return as_wanted;
    /* What is delivered once is sealed on every way to healthy: the report before may have been lost. */
    if (deliver(ctx, stack, err) < 0)
        return -1;
    tell_disk(ctx, stack);
    return 1;
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
    char root[512]; /* where volumes will lie; an Engine elsewhere is not looked into */
    engine_root(ctx->machine->engine_socket, root, sizeof root);
    if (statvfs(*root ? root : ctx->machine->state, &fs) == 0 &&
        (uint64_t)fs.f_bavail * fs.f_frsize / 1048576 < want->disk_mb)
        return step_fail(ctx, err, ERR_RETRY, "disk_short",
                         "The machine has %llu MB of free disk; %u MB are needed.",
                         (unsigned long long)((uint64_t)fs.f_bavail * fs.f_frsize / 1048576), want->disk_mb);
    return 0;
}

/* Before anything listens on the port, and again when the app has its network. */
static int guard(struct step_context *ctx, const struct stack *stack, struct err *err) {
    struct nft_guard rules = stack_guard(ctx, stack);
    if (!ctx->machine->guard || nft_guard_ensure(&rules, err) == 0)
        return 0;
    return step_fail(ctx, err, err->cls, "guard_failed",
                     "The port of the app cannot be guarded, so it is not opened: %s",
                     arena_strdup(ctx->arena, err->text));
}

static int check_compose(struct step_context *ctx, const struct stack *stack, struct err *err) {
    struct compose compose = stack_compose(ctx, stack);
    if (compose_check(&compose, err) == 0)
        return 0;
    return step_fail(ctx, err, err->cls, "bad_compose", "The Compose file is not valid: %s",
                     arena_strdup(ctx->arena, err->text));
}

static int write_compose(struct step_context *ctx, struct stack *stack, struct err *err) {
    if (stack_write(ctx, stack, err) < 0)
        return -1;
    /* Nothing that runs may be touched for a file that is not valid. At a first start there is nothing: `up`
     * reads the file by the same code, and this start of Compose is saved. */
    return json_array_size(stack->containers) ? check_compose(ctx, stack, err) : 0;
}

/* One whose document says what it was built from is fetched by the node; of what an earlier version built
 * there is no such word, and the Engine pulls it. */
static int pull(struct step_context *ctx, const struct stack *stack, struct err *err) {
    const char *service;
    json_t *rule;
    for (size_t i = 0; i < stack->want->n_images; i++)
        if (stack->image_ids[i] &&
            image_ensure(ctx, stack->want->images[i]->value, stack->image_ids[i], err) < 0)
            return -1;
    json_object_foreach(json_object_get(stack->compose, "services"), service, rule) {
        const char *image = json_str(rule, "image");
        if (engine_has_image(ctx->machine->engine_socket, image))
            continue;
        if (ctx->machine->node->is_private)
            return step_fail(
                ctx, err, ERR_PARK, "no_provenance",
                "It is not said what the image of \"%s\" was built from, so it is not fetched here.",
                service);
        if (engine_pull(ctx->machine->engine_socket, image, err) < 0)
            return step_fail(ctx, err, err->cls, err->cls == ERR_PARK ? "image_missing" : "registry_down",
                             "%s", arena_strdup(ctx->arena, err->text));
    }
    return 0;
}

#define LOGS_MAX 6000 /* bytes, of the end */

static void keep_logs(struct step_context *ctx, const json_t *container) {
    cleanup_free char *text =
        container ? engine_logs(ctx->machine->engine_socket, json_str(container, "Id"), 20) : NULL;
    size_t n = text ? strlen(text) : 0;
    if (n)
        str_addf(&ctx->out->result.log, "%s\n", n > LOGS_MAX ? text + n - LOGS_MAX : text);
}

/* What ended, how, and what it said last: that is what its maker needs. */
static int fail_exited(struct step_context *ctx, const json_t *container, struct err *err) {
    const char *service = stack_service_of(container), *log = str_text(&ctx->out->result.log);
    int64_t code = json_int(json_object_get(container, "State"), "ExitCode", -1);
    size_t end = strlen(log);
    while (end && (log[end - 1] == '\n' || log[end - 1] == '\r' || log[end - 1] == ' '))
        end--;
    size_t from = end;
    while (from && log[from - 1] != '\n')
        from--;
    return step_fail(ctx, err, ERR_RETRY, "container_exited",
                     "\"%s\" ended by itself with exit code %lld%s%.*s", service ? service : "a service",
                     (long long)code, end > from ? "; it said last: " : ".",
                     (int)str_cut_at(log + from, end - from < 200 ? end - from : 200), log + from);
}

/* Healthy so many times in a row, within the time that the release allows for its first start. */
static int wait_healthy(struct step_context *ctx, struct stack *stack, struct err *err) {
    const json_t *health = json_object_get(stack->spec, "health");
    int64_t deadline = clock_mono_us() + json_int(health, "start_s", 120) * CLOCK_S,
            times = json_int(health, "times", 2);
    int64_t pause_us = CLOCK_S / 50; /* longer and longer: a test may cost the app something */
    const char *service = "";
    for (int64_t good = 0; good < times;) {
        if (stack_list(ctx, stack, err) < 0)
            return -1;
        enum stack_health h = stack_health(ctx, stack, &service);
        good = h == STACK_GOOD ? good + 1 : 0;
        const json_t *worst = stack_container(stack, service);
        bool dead =
            h == STACK_GONE && worst && str_eq(json_str(json_object_get(worst, "State"), "Status"), "exited");
        if (dead || h == STACK_BAD || clock_mono_us() > deadline) {
            keep_logs(ctx, worst);
            return dead ? fail_exited(ctx, worst, err)
                        : step_fail(ctx, err, ERR_RETRY, "unhealthy", "\"%s\" does not become healthy.",
                                    service);
        }
        if (*ctx->machine->cancel)
            return step_fail(ctx, err, ERR_RETRY, "stopping", "The worker is stopping.");
        if (good < times)
            (void)usleep((useconds_t)pause_us);
        pause_us = good || pause_us > CLOCK_S / 2 ? pause_us : pause_us * 3 / 2;
    }
    return 0;
}

/* The file may be the reason, and what did not become healthy says why better than Compose does. */
static int explain_failed_up(struct step_context *ctx, struct stack *stack, struct err *err) {
    struct err ignored = {0};
    const char *said = arena_strdup(ctx->arena, err->text), *service = "";
    if (check_compose(ctx, stack, err) < 0 && err->cls == ERR_PARK)
        return -1;
    if (stack_list(ctx, stack, &ignored) == 0) {
        (void)stack_health(ctx, stack, &service);
        const json_t *worst = stack_container(stack, service);
        keep_logs(ctx, worst);
        /* Compose names whom it waited for, not who ended. */
        if (worst && str_eq(json_str(json_object_get(worst, "State"), "Status"), "exited"))
            return fail_exited(ctx, worst, err);
    }
    return step_fail(ctx, err, ERR_RETRY, "up_failed", "%s", said);
}

static int act_start(struct step_context *ctx, struct stack *stack, struct err *err) {
    if (preflight(ctx, stack, err) < 0 || write_compose(ctx, stack, err) < 0 ||
        fault_check(FAULT_STACK_RENDERED, err) < 0 || pull(ctx, stack, err) < 0 ||
        fault_check(FAULT_STACK_PULLED, err) < 0)
        return -1;
    stack_record(ctx, stack, stack->text);
    if (fault_check(FAULT_STACK_RECORDED, err) < 0 || guard(ctx, stack, err) < 0 ||
        fault_check(FAULT_STACK_GUARDED, err) < 0)
        return -1;
    if (secrets_ensure(&stack->secrets, stack->spec, err) < 0)
        return step_fail(ctx, err, err->cls, "secrets", "%s", arena_strdup(ctx->arena, err->text));
    if (fault_check(FAULT_STACK_SECRETS, err) < 0)
        return -1;
    if (stack_clear_drift(ctx, stack, err) < 0)
        return step_fail(ctx, err, ERR_RETRY, "engine_down", "%s", arena_strdup(ctx->arena, err->text));
    struct compose compose = stack_compose(ctx, stack);
    if (compose_up(&compose, err) < 0)
        return explain_failed_up(ctx, stack, err);
    if (stack_find_network(ctx, stack, err) < 0) /* it has its bridge now */
        return step_fail(ctx, err, ERR_RETRY, "engine_down", "%s", arena_strdup(ctx->arena, err->text));
    if (guard(ctx, stack, err) < 0 || fault_check(FAULT_STACK_UP, err) < 0 ||
        wait_healthy(ctx, stack, err) < 0)
        return -1;
    return fault_check(FAULT_STACK_HEALTHY, err);
}

static int act(struct step_context *ctx, struct err *err) {
    struct stack *stack = ctx->own;
    if (ctx->document->absent || !stack->want->running || stack->ended)
        return stack_stop(ctx, stack, ctx->document->absent, err);
    return act_start(ctx, stack, err);
}

/* ---- checking ---- */

/* Limits and digests as the Engine holds them, not as they were asked for. */
static int check_limits(struct step_context *ctx, const struct stack *stack, struct err *err) {
    const char *service;
    json_t *rule;
    json_object_foreach(json_object_get(stack->compose, "services"), service, rule) {
        const json_t *container = stack_container(stack, service);
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
    if (stack_list(ctx, stack, err) < 0)
        return -1;
    if (ctx->document->absent || !stack->want->running || stack->ended) {
        if (json_array_size(stack->containers))
            return step_fail(ctx, err, ERR_RETRY, "still_there", "A container of the app is still there.");
        return stack->ended ? fail_ended(ctx, err) : 0;
    }
    if (check_limits(ctx, stack, err) < 0 || stack_remember(ctx, stack, err) < 0)
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
