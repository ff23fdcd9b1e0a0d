/* The three sources of what the engine decides: requests, the clock, and what nodes report. */
#include "base/clock.h"
#include "base/str.h"
#include "model/place.h"
#include "tests/sim/world.h"

#include <limits.h>
#include <string.h>

#define QUEUE_SOFT 40 /* inputs beyond which the clock waits for those that it brought */

/* ---- requests ---- */

static bool decide_event_of(struct world *w, struct subject *subject, struct decision *decision, void *arg) {
    struct refusal refusal;
    (void)w;
    return decide(subject, arg, decision, &refusal);
}

static void create(struct world *w) {
    int name = (int)world_random(w, NAMES), index = w->instances_n;
    if (index == (w->faults ? UNDER_FAULTS : INSTANCES_MAX))
        return;
    const struct sim_name *taken = &w->names[name];
    for (int i = 0; i < w->instances_n && taken->claimed; i++)
        if (w->instances[i].name == name && w->instances[i].row.state != STATE_DELETED)
            return; /* 409 */
    struct sim_instance *in = &w->instances[index];
    memset(in, 0, sizeof *in);
    in->name = name;
    in->noop = world_random(w, 4) == 0;
    in->row = (struct instance){.tenant_id = {{1}},
                                .id = uuid_derive(world_seed(w), 1),
                                .plane_id = w->plane.id,
                                .name = "app",
                                .host = arena_printf(&w->arena, "app%d.test.example", name),
                                .inputs = "{}",
                                .public_url = "http://x",
                                .memory_mb = 100,
                                .cpu_milli = 100,
                                .disk_mb = 1,
                                .trial_days = 30,
                                .serving = SET_FIRST,
                                .state = STATE_NEW};
    struct name *row = &w->names[name].row;
    char hex[UUID_HEX_SIZE];
    const char *replaces = taken->claimed && row->serial
                               ? arena_printf(&w->arena, "fairlead owner=%s epoch=1 serial=%lld",
                                              uuid_hex(row->instance_id, hex), (long long)row->serial)
                           : taken->claimed ? row->replaces
                                            : NULL;
    *row = (struct name){.host = in->row.host,
                         .tenant_id = in->row.tenant_id,
                         .instance_id = in->row.id,
                         .replaces = replaces};
    w->names[name].claimed = true;
    w->instances_n++;
    struct decide_event event = {.kind = DECIDE_INTENT, .intent = INTENT_CREATE};
    world_note(w, "request: create %d as name %d", index, name);
    in->acknowledged = world_transact(w, index, decide_event_of, &event);
}

void world_request(struct world *w) {
    /* A delete ends a life, and a retry brings back what the faults stopped: so many of each that lives are
     * long. */
    static const enum intent_kind kinds[] = {INTENT_STOP,  INTENT_STOP,   INTENT_START,  INTENT_START,
                                             INTENT_START, INTENT_RETRY,  INTENT_RETRY,  INTENT_RETRY,
                                             INTENT_RETRY, INTENT_EXTEND, INTENT_DELETE, INTENT_FORGET};
    if (w->instances_n == 0 || world_random(w, 4) == 0) {
        create(w);
        return;
    }
    int index = (int)world_random(w, (uint64_t)w->instances_n);
    struct input input = {
        .kind = INPUT_INTENT,
        .who = "someone",
        .instance_id = w->instances[index].row.id,
        .purge = true,
        .event = {.intent = kinds[world_random(w, sizeof kinds / sizeof *kinds)], .params = "{\"days\":3}"}};
    if (world_random(w, 3) == 0)
        input.key = arena_printf(&w->arena, "key %u", w->seeds);
    world_submit(w, BY_REQUEST, &input);
    if (input.key && world_random(w, 2) == 0) /* its answer was lost, or did not come in time */
        world_submit(w, BY_REQUEST, &input);
}

void world_retry_all(struct world *w) {
    for (int i = 0; i < w->instances_n; i++)
        if (w->instances[i].row.state == STATE_FAILED || w->instances[i].row.state == STATE_DELETING)
            world_submit(w, BY_REQUEST,
                         &(struct input){.kind = INPUT_INTENT,
                                         .who = "someone",
                                         .instance_id = w->instances[i].row.id,
                                         .event = {.intent = INTENT_RETRY}});
}

/* ---- the clock ---- */

/* The nodes with what is reserved on each, as placement sees them once for all that wait. */
static bool is_at(const struct sim_instance *in, struct uuid node_id, int64_t port) {
    for (size_t i = 0; i < in->sets.n; i++) {
        const struct set *set = vec_at(&in->sets, struct set, i);
        if (set->state == SET_PLACED && uuid_eq(set->node_id, node_id) && set->port == port)
            return true;
    }
    return false;
}

static void count_nodes(struct world *w, struct node nodes[NODES]) {
    for (int i = 0; i < NODES; i++) {
        struct vec ports = {0};
        nodes[i] = w->nodes[i].row;
        for (int64_t port = nodes[i].port_low; port <= nodes[i].port_high; port++)
            for (int k = 0; k < w->instances_n; k++) {
                const struct instance *row = &w->instances[k].row;
                if (!is_at(&w->instances[k], nodes[i].id, port))
                    continue;
                *vec_add(&w->arena, &ports, struct ports) = (struct ports){port, port};
                nodes[i].memory_used += row->memory_mb;
                nodes[i].cpu_used += row->cpu_milli;
                nodes[i].disk_used += row->disk_mb;
            }
        nodes[i].ports = ports.items;
        nodes[i].ports_n = ports.n;
    }
}

static bool waits_for_room(const struct sim_instance *in) {
    for (size_t s = 0; s < in->steps.n; s++) {
        const struct step *step = vec_at(&in->steps, struct step, s);
        if (step->kind == STEP_PLACE && step->state == STEP_OPEN && step->generation == in->row.running)
            return true;
    }
    return false;
}

static void place_all(struct world *w) {
    struct node nodes[NODES];
    count_nodes(w, nodes);
    for (int i = 0; i < w->instances_n; i++) {
        if (!waits_for_room(&w->instances[i]))
            continue;
        struct placement found = place(nodes, NODES, &w->instances[i].row, &w->arena);
        struct decide_event event = {
            .kind = found.host ? DECIDE_PLACED : DECIDE_NO_ROOM, .port = found.port, .reason = found.reason};
        for (int n = 0; n < NODES; n++) { /* the rows, not the copies */
            if (found.host == &nodes[n])
                event.host = &w->nodes[n].row;
            if (found.edge == &nodes[n])
                event.edge = &w->nodes[n].row;
            if (found.prober == &nodes[n])
                event.prober = &w->nodes[n].row;
        }
        (void)world_transact(w, i, decide_event_of, &event);
    }
}

/* A due row for each instance that has its host or its edge there. */
static void concern(struct world *w, int n, enum timer_kind kind) {
    for (int i = 0; i < w->instances_n; i++) {
        const struct instance *row = &w->instances[i].row;
        char hex[UUID_HEX_SIZE];
        struct timer timer = {.kind = kind, .due_at = w->now};
        if (!uuid_eq(row->node_id, w->nodes[n].row.id) && !uuid_eq(row->edge_id, w->nodes[n].row.id))
            continue;
        timer.subject = arena_strdup(&w->arena, uuid_hex(row->id, hex));
        world_set_timer(w, &timer);
    }
}

void world_hear(struct world *w, int n, const char *health) {
    w->nodes[n].row.health = health;
    concern(w, n, TIMER_INSTANCE);
}

void world_move(struct world *w, int n) {
    w->nodes[n].row.address =
        arena_printf(&w->arena, "10.%llu.0.1", (unsigned long long)world_random(w, 250));
    world_note(w, "node %d: is at %s now", n, w->nodes[n].row.address);
    concern(w, n, TIMER_REFRESH);
}

/* A due row; placing is a transaction of its own. */
static void submit_timer(struct world *w, const struct timer *timer) {
    struct input input = {.kind = INPUT_TIMER, .timer_kind = timer->kind, .timer_subject = timer->subject};
    int index = world_instance_of(w, timer->subject);
    if (timer->kind == TIMER_PLACE) {
        world_set_timer(w, &(struct timer){timer->kind, timer->subject, 0});
        place_all(w);
        return;
    }
    if (index >= 0)
        input.instance_id = w->instances[index].row.id;
    world_submit(w, BY_REPORT, &input);
}

static bool is_due(struct world *w, const struct sim_instance *in) {
    for (size_t s = 0; s < in->steps.n; s++) {
        const struct step *step = vec_at(&in->steps, struct step, s);
        if (step->state != STEP_OPEN || !step->next_at || step->next_at > w->now)
            continue;
        if (step->generation != in->row.running)
            world_break(w, "an open step of a walk that is over");
        return true;
    }
    return false;
}

/* All that is due, as one look at the database finds it; one that finds it again brings it again. */
void world_clock(struct world *w) {
    struct vec due = {0};
    if (w->queues[BY_REPORT].n > QUEUE_SOFT)
        return;
    for (size_t i = 0; i < w->timers.n; i++)
        if (vec_at(&w->timers, struct timer, i)->due_at <= w->now)
            *vec_add(&w->arena, &due, struct timer) = *vec_at(&w->timers, struct timer, i);
    for (size_t i = 0; i < due.n; i++)
        submit_timer(w, vec_at(&due, struct timer, i));
    for (int i = 0; i < w->instances_n; i++)
        if (is_due(w, &w->instances[i]))
            world_submit(w, BY_REPORT,
                         &(struct input){.kind = INPUT_DUE, .instance_id = w->instances[i].row.id});
}

void world_ingest(struct world *w, size_t which) {
    struct sim_report report = *vec_at(&w->reports, struct sim_report, which);
    if (!w->faults || world_random(w, 4) != 0) /* else it comes again */
        *vec_at(&w->reports, struct sim_report, which) =
            *vec_at(&w->reports, struct sim_report, --w->reports.n);
    struct input input = {.kind = report.is_document ? INPUT_DOCUMENT : INPUT_ORDER,
                          .instance_id = w->instances[report.instance].row.id,
                          .event = report.event,
                          .node_id = report.event.document.node_id,
                          .roles = UINT_MAX};
    if (*report.work_key) {
        input.kind = INPUT_WORK;
        input.instance_id = (struct uuid){0};
        input.work_key = arena_strdup(&w->arena, report.work_key);
    }
    world_submit(w, BY_REPORT, &input);
}
