/* What the Docker Engine says of an instance: containers, health, network. */
#include "base/clock.h"
#include "base/json.h"
#include "io/engine.h"
#include "model/render.h"
#include "model/tables.h"
#include "step/stack_own.h"

#include <stdio.h>
#include <string.h>

#define TEST_US (30 * CLOCK_S) /* of a health test that names no limit, as the Engine has it */

static bool is_of_instance(const struct step_context *ctx, const json_t *labels) {
    return str_eq(json_str(labels, "fairlead.instance"), ctx->instance) &&
           str_eq(json_str(labels, "fairlead.node"), ctx->node);
}

bool stack_owns(const struct step_context *ctx, const json_t *labels) {
    const char *letter = json_str(labels, RENDER_SET_LABEL);
    return is_of_instance(ctx, labels) && str_eq(letter ? letter : SET_FIRST, ctx->letter);
}

int stack_list(struct step_context *ctx, struct stack *stack, struct err *err) {
    json_t *all = NULL;
    if (engine_containers(ctx->machine->engine_socket,
                          arena_printf(ctx->arena, "fairlead.instance=%s", ctx->instance), &all, err) < 0)
        return step_fail(ctx, err, ERR_RETRY, "engine_down", "%s", arena_strdup(ctx->arena, err->text));
    json_decref(stack->containers);
    stack->containers = json_array();
    stack->sibling = false;
    size_t i;
    json_t *one;
    json_array_foreach(all, i, one) {
        /* Two nodes may share one Engine: a node sees only what carries its label. */
        const json_t *labels = json_object_get(json_object_get(one, "Config"), "Labels");
        if (stack_owns(ctx, labels))
            (void)json_array_append(stack->containers, one);
        else
            stack->sibling = stack->sibling || is_of_instance(ctx, labels);
    }
    json_decref(all);
    return 0;
}

const char *stack_service_of(const json_t *container) {
    return json_str(json_object_get(json_object_get(container, "Config"), "Labels"),
                    "com.docker.compose.service");
}

const json_t *stack_container(const struct stack *stack, const char *service) {
    size_t i;
    json_t *one;
    json_array_foreach(stack->containers, i, one) {
        if (str_eq(stack_service_of(one), service))
            return one;
    }
    return NULL;
}

/* The command of a health test, as the Engine runs it; NULL: it has none. */
static json_t *test_of(const json_t *config) {
    const json_t *test = json_object_get(json_object_get(config, "Healthcheck"), "Test"),
                 *shell = json_object_get(config, "Shell");
    const char *kind = json_string_value(json_array_get(test, 0));
    json_t *command;
    if (str_eq(kind, "CMD-SHELL"))
        command = json_array_size(shell) ? json_copy((json_t *)(uintptr_t)shell)
                                         : json_pack("[s, s]", "/bin/sh", "-c");
    else if (str_eq(kind, "CMD"))
        command = json_array();
    else
        return NULL;
    for (size_t i = 1; i < json_array_size(test); i++)
        (void)json_array_append(command, json_array_get(test, i));
    return command;
}

static bool passes_its_test(const struct step_context *ctx, const json_t *container) {
    struct err err = {0};
    int64_t status = -1;
    const json_t *config = json_object_get(container, "Config");
    int64_t timeout_us = json_int(json_object_get(config, "Healthcheck"), "Timeout", 0) / 1000;
    cleanup_json json_t *test = test_of(config);
    return test &&
           engine_exec(ctx->machine->engine_socket, json_str(container, "Id"), test,
                       timeout_us > 0 ? timeout_us : TEST_US, &status, &err) == 0 &&
           status == 0;
}

static enum stack_health health_of(const struct step_context *ctx, const json_t *container) {
    const json_t *state = json_object_get(container, "State");
    const char *health = json_str(json_object_get(state, "Health"), "Status");
    if (!container || !json_is_true(json_object_get(state, "Running")))
        return STACK_GONE;
    if (json_is_true(json_object_get(state, "Paused")))
        return STACK_PAUSED;
    if (str_eq(health, "healthy"))
        return STACK_GOOD;
    if (passes_its_test(ctx, container))
        return STACK_GOOD;
    return str_eq(health, "unhealthy") ? STACK_BAD : STACK_STARTING;
}

bool stack_is_ours(const struct stack *stack, const json_t *container) {
    return str_eq(
        json_str(json_object_get(json_object_get(container, "Config"), "Labels"), "fairlead.identity"),
        stack->want->identity);
}

enum stack_health stack_health(struct step_context *ctx, const struct stack *stack,
                               const char **ret_service) {
    enum stack_health worst = STACK_GOOD;
    const char *service;
    json_t *rule;
    json_object_foreach(json_object_get(stack->spec, "services"), service, rule) {
        const json_t *container = stack_container(stack, service);
        enum stack_health h =
            container && stack_is_ours(stack, container) ? health_of(ctx, container) : STACK_GONE;
        if (h < worst) {
            worst = h;
            *ret_service = service;
        }
    }
    return worst;
}

int stack_find_network(struct step_context *ctx, struct stack *stack, struct err *err) {
    char path[400];
    long status;
    size_t i;
    json_t *one;
    cleanup_json json_t *list = NULL;
    stack->network[0] = stack->bridge[0] = '\0';
    (void)snprintf(path, sizeof path,
                   "/networks?filters=%%7B%%22label%%22%%3A%%5B%%22fairlead.instance%%3D%s%%22%%5D%%7D",
                   ctx->instance);
    if (engine_call(ctx->machine->engine_socket, "GET", path, NULL, 20000000, &status, &list, err) < 0)
        return -1;
    json_array_foreach(list, i, one) {
        const char *id = json_str(one, "Id");
        if (!id || !stack_owns(ctx, json_object_get(one, "Labels")))
            continue;
        (void)snprintf(stack->network, sizeof stack->network, "%s", id);
        (void)snprintf(stack->bridge, sizeof stack->bridge, "br-%.12s",
                       id); /* as the bridge driver names it */
    }
    return 0;
}

/* Where browsers come in: the port of the app's own address. */
static unsigned door_of(const char *public_url) {
    const char *host = strstr(public_url, "://"), *port = host ? strchr(host + 3, ':') : NULL;
    int64_t n;
    char text[8];
    (void)snprintf(text, sizeof text, "%.*s", port ? (int)strcspn(port + 1, "/") : 0, port ? port + 1 : "");
    if (str_to_int(text, 1, 65535, &n))
        return (unsigned)n;
    return str_starts(public_url, "https:") ? 443 : 80;
}

struct nft_guard stack_guard(const struct step_context *ctx, const struct stack *stack) {
    return (struct nft_guard){
        .node = ctx->node,
        .address = stack->want->address,
        .port = stack->want->port,
        .edge = stack->want->edge_address,
        .edge_user = ctx->machine->edge_user,
        .bridge = stack->bridge[0] ? stack->bridge : NULL,
        .door = door_of(stack->want->public_url),
        .apps = ctx->machine->subnets,
        .closed = ctx->machine->closed_networks,
    };
}
