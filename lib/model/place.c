#include "model/place.h"

#include "base/str.h"
#include "model/labels.h"

#include <string.h>

/* What it does besides running apps. */
static int duties(const struct node *node) {
    return __builtin_popcountll((unsigned long long)node->roles & ~(unsigned long long)ROLE_HOST);
}

/* Per mille of memory that would stay free. */
static int64_t share_left(const struct node *node, const struct instance *instance) {
    return node->memory_mb
               ? (node->memory_mb - node->memory_used - instance->memory_mb) * 1000 / node->memory_mb
               : 0;
}

static bool is_better(const struct node *a, const struct node *b, const struct instance *instance) {
    int liked = labels_met(a->labels, instance->prefers) - labels_met(b->labels, instance->prefers);
    if (liked != 0)
        return liked > 0;
    int64_t left = share_left(a, instance) - share_left(b, instance);
    if (left != 0)
        return left > 0;
    if (duties(a) != duties(b))
        return duties(a) < duties(b);
    return strcmp(a->name, b->name) < 0;
}

static int64_t free_port(const struct node *node) {
    int64_t port = node->port_low;
    for (size_t i = 0; i < node->ports_n && node->ports[i].first <= port; i++)
        if (node->ports[i].last >= port)
            port = node->ports[i].last + 1;
    return port <= node->port_high ? port : 0;
}

static void take(struct node *node, const struct instance *instance, int64_t port, struct arena *arena) {
    struct ports *ports = arena_alloc(arena, (node->ports_n + 1) * sizeof *ports);
    size_t at = 0;
    while (at < node->ports_n && node->ports[at].first < port)
        at++;
    if (node->ports_n) {
        memcpy(ports, node->ports, at * sizeof *ports);
        memcpy(ports + at + 1, node->ports + at, (node->ports_n - at) * sizeof *ports);
    }
    ports[at] = (struct ports){port, port};
    node->ports = ports;
    node->ports_n++;
    node->memory_used += instance->memory_mb;
    node->cpu_used += instance->cpu_milli;
    node->disk_used += instance->disk_mb;
}

/* Enrolled, and heard of: on one that is silent a new app would only wait. */
static bool is_there(const struct node *node) {
    return node->ready && !str_eq(node->health, "unknown");
}

static bool is_edge(const struct node *node) {
    return is_there(node) && (node->roles & ROLE_EDGE);
}

static bool is_prober(const struct node *node) {
    return is_there(node) && (node->roles & ROLE_PROBER);
}

static bool is_silent_prober(const struct node *node) {
    return node->ready && (node->roles & ROLE_PROBER);
}

/* One of those that fit: instances are spread over them. */
static struct node *pick(struct node *nodes, size_t n, bool (*fits)(const struct node *node),
                         struct uuid instance) {
    size_t there = 0;
    for (size_t i = 0; i < n; i++)
        there += fits(&nodes[i]);
    size_t turn = there ? uuid_spread(instance) % there : 0;
    for (size_t i = 0; i < n; i++)
        if (fits(&nodes[i]) && turn-- == 0)
            return &nodes[i];
    return NULL;
}

/* Nothing waits for the watch, and it is given once: one that is silent is better than none. */
static struct node *pick_prober(struct node *nodes, size_t n, struct uuid instance) {
    struct node *prober = pick(nodes, n, is_prober, instance);
    return prober ? prober : pick(nodes, n, is_silent_prober, instance);
}

struct placement place(struct node *nodes, size_t n, const struct instance *waiting, struct arena *arena) {
    struct placement result = {0};
    int hosts = 0, labelled = 0;
    int64_t memory = 0, cpu = 0, disk = 0;
    bool ports = false, silent = false;
    result.edge = pick(nodes, n, is_edge, waiting->id);
    for (size_t i = 0; i < n; i++) {
        struct node *node = &nodes[i];
        silent = silent || (node->ready && !is_there(node));
        if (!is_there(node))
            continue;
        if (!(node->roles & ROLE_HOST))
            continue;
        hosts++;
        if (labels_met(node->labels, waiting->requires) < labels_n(waiting->requires))
            continue;
        labelled++;
        int64_t m = node->memory_mb - node->memory_used, c = node->cpu_milli - node->cpu_used,
                d = node->disk_mb - node->disk_used;
        memory = m > memory ? m : memory;
        cpu = c > cpu ? c : cpu;
        disk = d > disk ? d : disk;
        ports = ports || free_port(node);
        if (m < waiting->memory_mb || c < waiting->cpu_milli || d < waiting->disk_mb || !free_port(node))
            continue;
        if (!result.host || is_better(node, result.host, waiting))
            result.host = node;
    }
    if (result.host && result.edge) {
        result.port = free_port(result.host);
        result.prober = pick_prober(nodes, n, waiting->id);
        take(result.host, waiting, result.port, arena);
        return result;
    }
    if (silent && (!hosts || !result.edge))
        result.reason = "The nodes that could do this are not heard of just now.";
    else if (!hosts)
        result.reason = "No node that can run apps has joined this plane yet.";
    else if (!labelled)
        result.reason =
            arena_printf(arena, "No node of this plane has what is required: %s.", waiting->requires);
    else if (!result.edge)
        result.reason = "No node with the edge role has joined this plane yet.";
    else if (memory < waiting->memory_mb)
        result.reason = arena_printf(
            arena, "Not enough memory: %lld MB are needed, at most %lld MB are free on one node.",
            (long long)waiting->memory_mb, (long long)memory);
    else if (cpu < waiting->cpu_milli)
        result.reason = arena_printf(
            arena, "Not enough CPU: %lld thousandths are needed, at most %lld are free on one node.",
            (long long)waiting->cpu_milli, (long long)cpu);
    else if (disk < waiting->disk_mb)
        result.reason =
            arena_printf(arena, "Not enough disk: %lld MB are needed, at most %lld MB are free on one node.",
                         (long long)waiting->disk_mb, (long long)disk);
    else if (!ports)
        result.reason = "No free port is left on any node of this plane.";
    else
        result.reason = "No single node of this plane has enough memory, CPU and disk together.";
    result.host = NULL;
    return result;
}
