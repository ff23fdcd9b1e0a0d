/* Small networks from a range of the node's own. An Engine has address pools for some thirty networks; the
 * thirty-first app of a host would find none, with CPU and memory free. */
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/str.h"
#include "io/engine.h"
#include "step/stack_own.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUBNET_BITS 28 /* fourteen addresses: services, gateway, and room to start anew beside the old */

struct range {
    uint32_t first, last; /* addresses, in the byte order of the machine */
};

/* "10.0.0.0/8" */
static bool parse_range(const char *text, struct range *ret) {
    char address[32];
    struct in_addr at;
    int64_t bits;
    const char *slash = text ? strchr(text, '/') : NULL;
    if (!slash || slash - text >= (int)sizeof address || !str_to_int(slash + 1, 0, 32, &bits))
        return false;
    (void)snprintf(address, sizeof address, "%.*s", (int)(slash - text), text);
    if (inet_pton(AF_INET, address, &at) != 1)
        return false;
    uint32_t hosts = bits == 0 ? UINT32_MAX : (uint32_t)((UINT64_C(1) << (32 - bits)) - 1);
    ret->first = ntohl(at.s_addr) & ~hosts;
    ret->last = ret->first | hosts;
    return true;
}

static void add_used(struct step_context *ctx, struct vec *used, const struct range *range) {
    *vec_add(ctx->arena, used, struct range) = *range;
}

/* The machine's own routes, but for the default one. */
static void add_routes(struct step_context *ctx, struct vec *used) {
    cleanup_fclose FILE *f = fopen("/proc/net/route", "re");
    char line[256];
    while (f && fgets(line, sizeof line, f)) {
        unsigned destination, mask;
        if (sscanf(line, "%*s %x %*x %*x %*d %*d %*d %x", &destination, &mask) != 2 || !mask)
            continue;
        struct range range = {ntohl(destination), ntohl(destination) | ~ntohl(mask)};
        add_used(ctx, used, &range);
    }
}

/* Every network of the Engine; *ret_own: that of this instance, if there is one. */
static int add_networks(struct step_context *ctx, struct vec *used, const json_t **ret_own, json_t **ret_list,
                        struct err *err) {
    long status;
    size_t i, k;
    json_t *network, *config;
    if (engine_call(ctx->machine->engine_socket, "GET", "/networks", NULL, 20000000, &status, ret_list, err) <
        0)
        return step_fail(ctx, err, ERR_RETRY, "engine_down", "%s", arena_strdup(ctx->arena, err->text));
    json_array_foreach(*ret_list, i, network) {
        const json_t *labels = json_object_get(network, "Labels"), *ipam = json_object_get(network, "IPAM");
        struct range range;
        if (stack_owns(ctx, labels))
            *ret_own = network;
        json_array_foreach(json_object_get(ipam, "Config"), k, config) {
            if (parse_range(json_str(config, "Subnet"), &range))
                add_used(ctx, used, &range);
        }
    }
    return 0;
}

static const char *subnet_of(const json_t *network) {
    const json_t *config = json_object_get(json_object_get(network, "IPAM"), "Config");
    return json_str(json_array_get(config, 0), "Subnet");
}

static bool is_free(const struct vec *used, uint32_t first, uint32_t last) {
    for (size_t i = 0; i < used->n; i++) {
        const struct range *range = vec_at(used, struct range, i);
        if (first <= range->last && range->first <= last)
            return false;
    }
    return true;
}

/* From a place of the instance's own on, so that two that choose at once rarely choose the same. */
static bool choose(const struct step_context *ctx, const struct range *all, const struct vec *used,
                   uint32_t *ret) {
    const uint32_t size = UINT32_C(1) << (32 - SUBNET_BITS);
    uint32_t n = (all->last - all->first) / size + 1, from;
    struct hash hash = hash_of(ctx->place, strlen(ctx->place));
    memcpy(&from, hash.b, sizeof from);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t first = all->first + (from % n + i) % n * size;
        if (is_free(used, first, first + size - 1)) {
            *ret = first;
            return true;
        }
    }
    return false;
}

int stack_subnet(struct step_context *ctx, char ret[32], struct err *err) {
    struct range all, had;
    struct vec used = {0};
    const json_t *own = NULL;
    cleanup_json json_t *list = NULL;
    uint32_t first;
    char text[INET_ADDRSTRLEN];
    ret[0] = '\0';
    if (!parse_range(ctx->machine->subnets, &all))
        return 0;
    if (add_networks(ctx, &used, &own, &list, err) < 0)
        return -1;
    if (own) { /* what runs keeps its network */
        bool ours = parse_range(subnet_of(own), &had) && had.first >= all.first && had.last <= all.last;
        (void)snprintf(ret, 32, "%s", ours ? subnet_of(own) : "");
        return 0;
    }
    add_routes(ctx, &used);
    if (!choose(ctx, &all, &used, &first))
        return step_fail(
            ctx, err, ERR_PARK, "no_subnet",
            "Every network of \"%s\" is in use on this host: give it a larger range (option subnets).",
            ctx->machine->subnets);
    struct in_addr at = {.s_addr = htonl(first)};
    (void)inet_ntop(AF_INET, &at, text, sizeof text);
    (void)snprintf(ret, 32, "%s/%d", text, SUBNET_BITS);
    return 0;
}
