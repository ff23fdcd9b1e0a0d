/* Everything that is not the engine: the relay, the topics, the nodes, DNS, and what goes wrong with them. */
#include "base/str.h"
#include "proto/fairlead.pb-c.h"
#include "tests/sim/world.h"

#include <stdio.h>
#include <string.h>

static const struct document *document_of(const struct world *w, int instance, int kind) {
    const struct vec *all = &w->instances[instance].documents;
    for (size_t i = 0; i < all->n; i++)
        if (vec_at(all, struct document, i)->kind == kind)
            return vec_at(all, struct document, i);
    return NULL;
}

static bool wants_running(const struct document *document) {
    if (document->absent)
        return false;
    if (document->kind == DOCUMENT_TASK || document->kind == DOCUMENT_CERTIFICATE)
        return true;
    if (document->kind == DOCUMENT_ROUTE) {
        Fairlead__V1__Route *route =
            fairlead__v1__route__unpack(NULL, document->content.n, document->content.p);
        bool serves = route && !*route->page;
        if (route)
            fairlead__v1__route__free_unpacked(route, NULL);
        return serves;
    }
    if (document->kind == DOCUMENT_WATCH) {
        Fairlead__V1__Watch *watch =
            fairlead__v1__watch__unpack(NULL, document->content.n, document->content.p);
        bool watches = watch && watch->running;
        if (watch)
            fairlead__v1__watch__free_unpacked(watch, NULL);
        return watches;
    }
    Fairlead__V1__Stack *stack = fairlead__v1__stack__unpack(NULL, document->content.n, document->content.p);
    bool running = stack && stack->running;
    if (stack)
        fairlead__v1__stack__free_unpacked(stack, NULL);
    return running;
}

/* One outbox row: of a document the *current* row goes out. The row may stay, so that it is sent again. */
void world_relay(struct world *w) {
    if (!w->outbox.n)
        return;
    size_t which = world_random(w, w->faults ? w->outbox.n : 1); /* lanes: any of them may be first */
    struct record record = vec_at(&w->outbox, struct outbox_item, which)->record;
    if (!w->faults || world_random(w, 5) != 0) {
        for (size_t i = which; i + 1 < w->outbox.n; i++)
            *vec_at(&w->outbox, struct outbox_item, i) = *vec_at(&w->outbox, struct outbox_item, i + 1);
        w->outbox.n--;
    }
    if (!record.is_document) {
        *vec_add(&w->arena, &w->orders, struct record) = record;
        return;
    }
    const struct document *document = document_of(w, record.instance, record.kind);
    if (!document || (document->absent && document->confirmed))
        return; /* a tombstone: compaction, never state */
    record.revision = document->revision;
    record.absent = document->absent;
    record.running = wants_running(document);
    world_read_task(document, &record);
    *vec_add(&w->arena, &w->nodes[record.node].topic, struct record) = record;
}

bool world_is_tombstone(const struct world *w, int n, const struct record *record) {
    const struct document *document = document_of(w, record->instance, record->kind);
    bool elsewhere = document && !uuid_eq(document->node_id, w->nodes[n].row.id);
    return !elsewhere && (!document || (document->absent && document->confirmed));
}

/* `cls`: of what failed; NULL: any. */
static void say(struct world *w, int n, int instance, int kind, const char *condition,
                enum result_class result, const char *cls) {
    struct sim_node *node = &w->nodes[n];
    struct sim_report report = {.is_document = true, .instance = instance};
    report.event =
        (struct decide_event){.kind = DECIDE_DOCUMENT,
                              .document = {.node_id = node->row.id,
                                           .kind = kind,
                                           .letter = SET_FIRST,
                                           .epoch = 1,
                                           .revision = node->held[instance][kind].revision,
                                           .condition = condition,
                                           .result = result,
                                           .stream = node->stream,
                                           .n = ++node->report_n,
                                           .problem = {cls ? cls : "simulated", "It failed.", NULL}}};
    link_say(w, n, &report);
}

static void accept(struct world *w, int n, const struct record *record) {
    struct sim_node *node = &w->nodes[n];
    struct held *held = &node->held[record->instance][record->kind];
    int64_t *highest = &node->highest[record->instance][record->kind];
    if (record->revision < held->revision || record->revision < node->floor[record->instance][record->kind])
        return; /* the ratchet, and the list */
    if (record->revision == held->revision &&
        (record->absent != held->absent || record->running != held->running))
        world_break(w, "one revision has two contents");
    held->revision = record->revision;
    held->absent = record->absent;
    held->running = record->running;
    held->task = record->task;
    held->until = record->until;
    held->applied = false;
    if (held->revision < *highest)
        world_break(w, "a node took an older revision after a newer one");
    *highest = held->revision;
}

static enum result_class probe(const struct world *w, int instance, const char **ret_cls, bool *ret_served);

/* A watch fetches and says what it saw; it is looked at again when something may have changed. */
static void watch(struct world *w, int n, int instance, struct held *held) {
    const char *cls = "";
    bool served;
    held->applied = true;
    if (!held->live) {
        say(w, n, instance, DOCUMENT_WATCH, held->absent ? "absent" : "stopped", RESULT_IS_OK, NULL);
        return;
    }
    enum result_class result = probe(w, instance, &cls, &served);
    say(w, n, instance, DOCUMENT_WATCH, result == RESULT_IS_OK ? "healthy" : "failing", result, cls);
}

static void apply(struct world *w, int n, int instance, int kind) {
    struct held *held = &w->nodes[n].held[instance][kind];
    if (!held->revision)
        return;
    if (kind == DOCUMENT_WATCH) {
        held->live = !held->absent && held->running;
        world_check_act(w, instance, kind, held);
        watch(w, n, instance, held);
        return;
    }
    if (kind == DOCUMENT_TASK) {
        enum result_class result = world_do_task(w, held);
        held->applied = true;
        say(w, n, instance, kind, result == RESULT_IS_OK ? "healthy" : "failing", result, NULL);
        return;
    }
    if (held->absent && held->live && link_is_in_doubt(w, &w->nodes[n])) {
        say(w, n, instance, kind, "failing", RESULT_IS_RETRY, "in_doubt");
        return;
    }
    if (w->faults && world_random(w, 6) == 0) {
        say(w, n, instance, kind, "failing", world_random(w, 8) == 0 ? RESULT_IS_PARK : RESULT_IS_RETRY,
            NULL);
        return;
    }
    held->live = kind != DOCUMENT_CERTIFICATE && !held->absent && held->running;
    held->applied = true;
    world_check_act(w, instance, kind, held);
    say(w, n, instance, kind,
        held->absent                               ? "absent"
        : kind == DOCUMENT_STACK && !held->running ? "stopped"
                                                   : "healthy",
        RESULT_IS_OK, NULL);
}

/* Reads one record, or works on one document that is not reached. */
void world_node(struct world *w, int n) {
    struct sim_node *node = &w->nodes[n];
    link_hear(w, n);
    if (link_is_up(node) && !node->withheld && node->read < node->topic.n) {
        accept(w, n, vec_at(&node->topic, struct record, node->read++));
        return;
    }
    for (int i = 0; i < w->instances_n; i++)
        for (int k = 0; k < DOCUMENT_KIND_COUNT; k++)
            if (node->held[i][k].revision && !node->held[i][k].applied) {
                apply(w, n, i, k);
                return;
            }
}

/* At start and after each reconnect: what it holds, answered by sending what differs, or was not heard of. */
void world_inventory(struct world *w, int n) {
    for (int i = 0; i < w->instances_n; i++)
        for (size_t d = 0; d < w->instances[i].documents.n; d++) {
            const struct document *document = vec_at(&w->instances[i].documents, struct document, d);
            if (!uuid_eq(document->node_id, w->nodes[n].row.id) || (document->absent && document->confirmed))
                continue;
            struct outbox_item *item = vec_add(&w->arena, &w->outbox, struct outbox_item);
            item->record =
                (struct record){.is_document = true, .node = n, .instance = i, .kind = document->kind};
        }
}

/* ---- orders ---- */

/* RFC 2136 with the marker: as worker/name.c has it. */
static enum result_class point_name(struct world *w, const struct record *order) {
    struct dns_name *dns = &w->dns[order->name];
    char owner[UUID_HEX_SIZE], ours[128], held_owner[UUID_HEX_SIZE] = "";
    unsigned long long serial = 0;
    unsigned epoch = 0;
    (void)snprintf(ours, sizeof ours, "fairlead owner=%s epoch=1 serial=%lld", uuid_hex(order->owner, owner),
                   (long long)order->serial);
    if (*dns->marker) {
        (void)sscanf(dns->marker, "fairlead owner=%32s epoch=%u serial=%llu", held_owner, &epoch, &serial);
        if (!str_eq(owner, held_owner) && !str_eq(order->replaces, dns->marker)) {
            if (uuid_eq(w->names[order->name].row.instance_id, order->owner))
                world_break(w, "the owner of a name is refused it");
            return RESULT_IS_PARK;
        }
        if (str_eq(owner, held_owner) && (int64_t)serial > order->serial)
            return RESULT_IS_PARK;
    }
    (void)snprintf(dns->marker, sizeof dns->marker, "%s", ours);
    if (dns->has_address && order->dns_absent)
        dns->off_at = w->now;
    dns->has_address = !order->dns_absent;
    return RESULT_IS_OK;
}

static enum result_class probe(const struct world *w, int instance, const char **ret_cls, bool *ret_served) {
    const struct sim_instance *in = &w->instances[instance];
    char owner[UUID_HEX_SIZE], want[64];
    (void)snprintf(want, sizeof want, "fairlead owner=%s ", uuid_hex(in->row.id, owner));
    bool named = w->dns[in->name].has_address && str_starts(w->dns[in->name].marker, want);
    bool routed = false, runs = false;
    for (int n = 0; n < NODES; n++) {
        routed = routed || (uuid_eq(w->nodes[n].row.id, in->row.edge_id) &&
                            w->nodes[n].held[instance][DOCUMENT_ROUTE].live);
        runs = runs || (uuid_eq(w->nodes[n].row.id, in->row.node_id) &&
                        w->nodes[n].held[instance][DOCUMENT_STACK].live);
    }
    *ret_cls = named ? "unreachable" : "wrong_address";
    *ret_served = routed && runs;
    return named && routed && runs ? RESULT_IS_OK : RESULT_IS_RETRY;
}

static void build(struct world *w, const char *key) {
    for (size_t i = 0; i < w->built.n; i++)
        if (str_eq(*vec_at(&w->built, const char *, i), key))
            return; /* found in the registry */
    *vec_add(&w->arena, &w->built, const char *) = arena_strdup(&w->arena, key);
    w->builds++;
}

void world_order(struct world *w, size_t which) {
    struct record order = *vec_at(&w->orders, struct record, which);
    if (!w->faults || world_random(w, 5) != 0) /* else it is delivered again */
        *vec_at(&w->orders, struct record, which) = *vec_at(&w->orders, struct record, --w->orders.n);
    struct sim_report *report = vec_add(&w->arena, &w->reports, struct sim_report);
    *report = (struct sim_report){0};
    report->event = (struct decide_event){.kind = DECIDE_ORDER,
                                          .order_id = order.order_id,
                                          .attempt = order.attempt,
                                          .result = RESULT_IS_OK,
                                          .problem = {"simulated", "It failed.", NULL},
                                          .facts = "{}"};
    bool is_work = order.step == STEP_RESOLVE || order.step == STEP_BUILD;
    report->instance = is_work ? 0 : world_instance_of(w, order.subject);
    if (is_work)
        (void)snprintf(report->work_key, sizeof report->work_key, "%s", order.subject);
    if (order.not_after < w->now || (w->faults && world_random(w, 8) == 0)) {
        report->event.result = w->faults && world_random(w, 8) == 0 ? RESULT_IS_PARK : RESULT_IS_RETRY;
        return;
    }
    if (order.step == STEP_RESOLVE) {
        report->event.facts = "{\"commit\":\"c0\",\"tree\":\"t0\"}";
    } else if (order.step == STEP_BUILD) {
        build(w, order.subject);
        report->event.facts =
            "{\"image\":\"fairlead/"
            "app-web@sha256:0000000000000000000000000000000000000000000000000000000000000000\"}";
    } else if (order.step == STEP_NAME) {
        report->event.result = point_name(w, &order);
    } else if (order.step == STEP_VERIFY) {
        bool served;
        report->event.result = probe(w, report->instance, &report->event.problem.cls, &served);
        if (w->calm && order.attempt == 1 && !served)
            world_break(w, "verified before there was anything to see");
    }
    world_note(w, "order %s for %s: %d", step_rows[order.step].name, order.subject,
               (int)report->event.result);
}

/* ---- faults ---- */

static void forget_disk(struct world *w, int n) {
    struct sim_node *node = &w->nodes[n];
    for (int i = 0; i < w->instances_n; i++) /* its markers go with it */
        w->runs[node->held[i][DOCUMENT_TASK].begun] = 0;
    memset(node->held, 0, sizeof node->held);
    memset(node->highest, 0, sizeof node->highest);
    for (int i = 0; i < w->instances_n; i++)
        for (int k = 0; k < DOCUMENT_KIND_COUNT; k++) {
            const struct document *document = document_of(w, i, k);
            bool mine = document && uuid_eq(document->node_id, node->row.id);
            node->floor[i][k] = mine ? document->revision : 0;
        }
}

/* Somebody removes records: only a watch sees that. */
void world_drift(struct world *w) {
    for (int i = 0; i < NAMES; i++)
        if (w->dns[i].has_address && world_random(w, 2) == 0) {
            world_note(w, "name %d loses its address", i);
            w->dns[i].has_address = false;
        }
}

/* Streams of a node rise. */
static void next_stream(struct sim_node *node) {
    if (++node->stream.b[1] == 0)
        node->stream.b[0]++;
    node->report_n = 0;
}

void world_fault(struct world *w) {
    int n = (int)world_random(w, NODES);
    struct sim_node *node = &w->nodes[n];
    switch (world_random(w, 11)) {
    case 0: /* restart: memory goes, the ratchet stays; the topic is read from its beginning */
        world_note(w, "fault: node %d restarts", n);
        node->read = 0;
        next_stream(node);
        for (int i = 0; i < w->instances_n; i++)
            for (int k = 0; k < DOCUMENT_KIND_COUNT; k++)
                node->held[i][k].applied = false;
        world_inventory(w, n);
        break;
    case 1: /* a new disk: containers gone with it */
        world_note(w, "fault: node %d loses its disk", n);
        forget_disk(w, n);
        node->read = 0;
        next_stream(node);
        world_inventory(w, n);
        break;
    case 2: /* the broker loses its last records of a topic */
        if (node->topic.n) {
            world_note(w, "fault: topic %d loses its tail", n);
            node->topic.n -= 1 + world_random(w, node->topic.n);
            node->read = node->read > node->topic.n ? node->topic.n : node->read;
            world_inventory(w, n); /* the node notices at its next reconnect */
        }
        break;
    case 3: /* orders lost */
        if (w->orders.n) {
            world_note(w, "fault: an order is lost");
            w->orders.n--;
        }
        break;
    case 5:
        world_drift(w);
        break;
    case 6:
        world_note(w, "fault: node %d falls silent, or is heard again", n);
        world_hear(w, n, str_eq(node->row.health, "unknown") ? "ok" : "unknown");
        break;
    case 7:
        world_move(w, n);
        break;
    case 8:
        world_write_once(w);
        break;
    case 9:
        if (link_is_up(node) && !w->calm)
            link_cut(w, n);
        break;
    case 10:
        link_lie(w, n);
        break;
    case 4: /* a report lost before it was delivered: the node restarts and says it again */
        if (w->reports.n && vec_at(&w->reports, struct sim_report, w->reports.n - 1)->is_document) {
            const struct sim_report *lost = vec_at(&w->reports, struct sim_report, w->reports.n - 1);
            for (int i = 0; i < NODES; i++)
                if (uuid_eq(w->nodes[i].row.id, lost->event.document.node_id))
                    w->nodes[i].held[lost->instance][lost->event.document.kind].applied = false;
            world_note(w, "fault: a report is lost");
            w->reports.n--;
        }
        break;
    }
}

void world_watch_again(struct world *w) {
    for (int n = 0; n < NODES; n++)
        for (int i = 0; i < w->instances_n; i++)
            w->nodes[n].held[i][DOCUMENT_WATCH].applied = false;
}
