/* The three sources of what the simulated engine decides: requests, the clock, and what nodes report. */
#include "base/clock.h"
#include "base/str.h"
#include "model/decide_work.h"
#include "model/place.h"
#include "tests/sim/world.h"

#include <stdio.h>
#include <string.h>

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
    static const enum intent_kind kinds[] = {INTENT_STOP,  INTENT_STOP,   INTENT_START, INTENT_START,
                                             INTENT_START, INTENT_RETRY,  INTENT_RETRY, INTENT_RETRY,
                                             INTENT_RETRY, INTENT_EXTEND, INTENT_DELETE};
    if (w->instances_n == 0 || world_random(w, 4) == 0) {
        create(w);
        return;
    }
    int index = (int)world_random(w, (uint64_t)w->instances_n);
    struct decide_event event = {.kind = DECIDE_INTENT,
                                 .intent = kinds[world_random(w, sizeof kinds / sizeof *kinds)],
                                 .params = "{\"days\":3}"};
    if (w->instances[index].row.state == STATE_DELETED)
        return;
    bool accepted = world_transact(w, index, decide_event_of, &event);
    world_note(w, "request: %s %d %s", intent_rows[event.intent].name, index,
               accepted ? "accepted" : "refused");
}

void world_retry_all(struct world *w) {
    struct decide_event event = {.kind = DECIDE_INTENT, .intent = INTENT_RETRY};
    for (int i = 0; i < w->instances_n; i++)
        if (w->instances[i].row.state == STATE_FAILED || w->instances[i].row.state == STATE_DELETING) {
            bool accepted = world_transact(w, i, decide_event_of, &event);
            world_note(w, "request: retry %d %s", i, accepted ? "accepted" : "refused");
        }
}

/* ---- the clock ---- */

static struct work *find_work(struct world *w, const char *key) {
    for (size_t i = 0; i < w->works.n; i++)
        if (str_eq(vec_at(&w->works, struct work, i)->key, key))
            return vec_at(&w->works, struct work, i);
    return NULL;
}

static void fan_out(struct world *w, const char *key) {
    for (int i = 0; i < w->instances_n; i++)
        for (size_t s = 0; s < w->instances[i].steps.n; s++) {
            const struct step *step = vec_at(&w->instances[i].steps, struct step, s);
            char hex[UUID_HEX_SIZE];
            if (step->state != STEP_OPEN || !str_eq(step->work_key, key))
                continue;
            struct timer due = {TIMER_INSTANCE,
                                arena_strdup(&w->arena, uuid_hex(w->instances[i].row.id, hex)), w->now};
            world_set_timer(w, &due);
        }
}

static int64_t waiting_since(const struct world *w, const char *key) {
    int64_t latest = 0;
    for (int i = 0; i < w->instances_n; i++)
        for (size_t s = 0; s < w->instances[i].steps.n; s++) {
            const struct step *step = vec_at(&w->instances[i].steps, struct step, s);
            if (step->state == STEP_OPEN && str_eq(step->work_key, key) && step->started_at > latest)
                latest = step->started_at;
        }
    return latest;
}

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
                *vec_add(&w->arena, &ports, int64_t) = port;
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

static void run_timer(struct world *w, struct timer timer) {
    struct decide_event wake = {.kind = timer.kind == TIMER_REFRESH ? DECIDE_REFRESH : DECIDE_WAKE},
                        expire = {.kind = DECIDE_INTENT, .intent = INTENT_EXPIRE};
    int index = world_instance_of(w, timer.subject);
    if (timer.kind == TIMER_PLACE) {
        place_all(w);
    } else if (timer.kind == TIMER_WORK) {
        struct work *work = find_work(w, timer.subject);
        struct decision decision = world_new_decision(w, world_seed(w));
        if (work && decide_work_due(work, waiting_since(w, timer.subject), &decision))
            fan_out(w, timer.subject);
        world_take_decision(w, &decision);
    } else if (index >= 0 && timer.kind == TIMER_EXPIRE) {
        if (w->instances[index].row.expires_at > w->now) {
            timer.due_at = w->instances[index].row.expires_at;
            world_set_timer(w, &timer);
        } else {
            world_note(w, "clock: %d expires", index);
            (void)world_transact(w, index, decide_event_of, &expire);
        }
    } else if (index >= 0) {
        (void)world_transact(w, index, decide_event_of, &wake);
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

void world_clock(struct world *w) {
    struct decide_event wake = {.kind = DECIDE_WAKE};
    for (size_t i = 0; i < w->timers.n; i++) {
        struct timer timer = *vec_at(&w->timers, struct timer, i);
        if (timer.due_at > w->now)
            continue;
        *vec_at(&w->timers, struct timer, i) = *vec_at(&w->timers, struct timer, --w->timers.n); /* claimed */
        run_timer(w, timer);
        return;
    }
    for (int i = 0; i < w->instances_n; i++)
        for (size_t s = 0; s < w->instances[i].steps.n; s++) {
            const struct step *step = vec_at(&w->instances[i].steps, struct step, s);
            if (step->state != STEP_OPEN || !step->next_at || step->next_at > w->now)
                continue;
            if (step->generation != w->instances[i].row.running)
                world_break(w, "an open step of a walk that is over");
            (void)world_transact(w, i, decide_event_of, &wake);
            return;
        }
}

void world_ingest(struct world *w, size_t which) {
    struct sim_report report = *vec_at(&w->reports, struct sim_report, which);
    if (!w->faults || world_random(w, 4) != 0) /* else it comes again */
        *vec_at(&w->reports, struct sim_report, which) =
            *vec_at(&w->reports, struct sim_report, --w->reports.n);
    if (*report.work_key) {
        struct work *work = find_work(w, report.work_key);
        struct decision decision = world_new_decision(w, world_seed(w));
        if (work && uuid_eq(work->order_id, report.event.order_id) &&
            decide_work_report(work, report.event.attempt, report.event.result, &report.event.problem,
                               report.event.facts, &decision))
            fan_out(w, report.work_key);
        world_take_decision(w, &decision);
        return;
    }
    (void)world_transact(w, report.instance, decide_event_of, &report.event);
}
