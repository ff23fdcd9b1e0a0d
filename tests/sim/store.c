/* The simulated engine: loads a subject, lets the real decisions change it, and stores it whole or not at
 * all. */
#include "base/clock.h"
#include "base/str.h"
#include "tests/sim/world.h"

#include <stdio.h>
#include <string.h>

struct uuid world_seed(struct world *w) {
    struct uuid u = {0};
    w->seeds++;
    u.b[0] = (uint8_t)(w->seeds >> 24);
    u.b[1] = (uint8_t)(w->seeds >> 16);
    u.b[2] = (uint8_t)(w->seeds >> 8);
    u.b[3] = (uint8_t)w->seeds;
    u.b[8] = 0x80;
    return u;
}

static struct vec copy_vec(struct world *w, const struct vec *from, size_t size) {
    struct vec to = {.n = from->n, .cap = from->n};
    to.items = arena_alloc(&w->arena, from->n * size + 1);
    if (from->n)
        memcpy(to.items, from->items, from->n * size);
    return to;
}

static const struct node *node_of(const struct world *w, struct uuid id) {
    for (int i = 0; i < NODES; i++)
        if (uuid_eq(w->nodes[i].row.id, id))
            return &w->nodes[i].row;
    return NULL;
}

static struct subject load(struct world *w, int index, struct instance *row, struct name *name) {
    struct sim_instance *in = &w->instances[index];
    struct subject subject = {
        .release = in->noop ? w->noop : w->release, .plane = &w->plane, .instance = row, .name = name};
    *row = in->row;
    *name = w->names[in->name].row;
    subject.intents = copy_vec(w, &in->intents, sizeof(struct intent));
    subject.documents = copy_vec(w, &in->documents, sizeof(struct document));
    for (size_t i = 0; i < in->steps.n; i++)
        if (vec_at(&in->steps, struct step, i)->generation == row->running)
            *vec_add(&w->arena, &subject.steps, struct step) = *vec_at(&in->steps, struct step, i);
    subject.works = copy_vec(w, &w->works, sizeof(struct work));
    subject.host = node_of(w, row->node_id);
    subject.edge = node_of(w, row->edge_id);
    subject.prober = node_of(w, row->prober_id);
    return subject;
}

static void set_timer(struct world *w, const struct timer *timer) {
    for (size_t i = 0; i < w->timers.n; i++) {
        struct timer *t = vec_at(&w->timers, struct timer, i);
        if (t->kind != timer->kind || !str_eq(t->subject, timer->subject))
            continue;
        if (timer->due_at)
            t->due_at = timer->due_at;
        else
            *t = *vec_at(&w->timers, struct timer, --w->timers.n);
        return;
    }
    if (timer->due_at)
        *vec_add(&w->arena, &w->timers, struct timer) = *timer;
}

static void add_order(struct world *w, const struct order_out *order, const struct sim_instance *in) {
    struct outbox_item *item = vec_add(&w->arena, &w->outbox, struct outbox_item);
    struct record *r = &item->record;
    r->order_id = order->id;
    r->step = order->kind;
    r->not_after = order->not_after;
    if (in) {
        char hex[UUID_HEX_SIZE];
        (void)snprintf(r->subject, sizeof r->subject, "%s", uuid_hex(in->row.id, hex));
        for (size_t i = 0; i < in->steps.n; i++) {
            const struct step *step = vec_at(&in->steps, struct step, i);
            if (uuid_eq(step->order_id, order->id))
                r->attempt = step->attempt;
        }
        const struct name *name = &w->names[in->name].row;
        r->name = in->name;
        r->owner = in->row.id;
        r->serial = name->serial;
        r->dns_absent = in->row.state == STATE_DELETING;
        (void)snprintf(r->replaces, sizeof r->replaces, "%s", name->replaces ? name->replaces : "");
        return;
    }
    for (size_t i = 0; i < w->works.n; i++) {
        const struct work *work = vec_at(&w->works, struct work, i);
        if (!uuid_eq(work->order_id, order->id))
            continue;
        r->attempt = work->attempt;
        (void)snprintf(r->subject, sizeof r->subject, "%s", work->key);
    }
}

void world_take_decision(struct world *w, struct decision *decision) {
    for (size_t i = 0; i < decision->timers.n; i++)
        set_timer(w, vec_at(&decision->timers, struct timer, i));
    for (size_t i = 0; i < decision->orders.n; i++)
        if (vec_at(&decision->orders, struct order_out, i)->kind == STEP_RESOLVE ||
            vec_at(&decision->orders, struct order_out, i)->kind == STEP_BUILD)
            add_order(w, vec_at(&decision->orders, struct order_out, i), NULL);
}

static void store_steps(struct world *w, struct sim_instance *in, const struct vec *steps) {
    for (size_t i = 0; i < steps->n; i++) {
        struct step *step = vec_at(steps, struct step, i);
        struct step *row = NULL;
        for (size_t k = 0; k < in->steps.n && !row; k++) {
            struct step *s = vec_at(&in->steps, struct step, k);
            if (s->generation == step->generation && s->kind == step->kind && str_eq(s->part, step->part))
                row = s;
        }
        if (step->change == ROW_NEW && row)
            world_break(w, "a step that is there was inserted");
        if (step->change == ROW_KEPT)
            continue;
        if (!row)
            row = vec_add(&w->arena, &in->steps, struct step);
        *row = *step;
        row->change = ROW_KEPT;
    }
}

/* A state is proved when it is reached: nothing of a stopped or deleted instance is live at that moment. */
static void check_reached(struct world *w, int index, enum state state) {
    if ((int)state == w->instances[index].row.state)
        return;
    if (state != STATE_STOPPED && state != STATE_SUSPENDED && state != STATE_DELETED)
        return;
    for (int n = 0; n < NODES; n++)
        if (w->nodes[n].held[index][DOCUMENT_STACK].live)
            world_break(w, "an instance is called stopped while it runs");
}

/* What a node said of an older revision proves nothing (P14). */
static void check_proof(struct world *w, struct subject *subject) {
    for (size_t i = 0; i < subject->steps.n; i++) {
        const struct step *step = vec_at(&subject->steps, struct step, i);
        const struct document *document =
            subject_document(subject, (int)document_kind_of_step((enum step_kind)step->kind));
        if (step->kind == STEP_WATCH || step->state != STEP_DONE || step->change == ROW_KEPT || !document)
            continue;
        if (document->observed != document->revision)
            world_break(w, "a step is done by what was said of an older document");
    }
}

/* As the store writes what changed; also of an earlier generation, whose steps a delete dropped. */
static void store(struct world *w, int index, struct subject *subject, struct decision *decision) {
    struct sim_instance *in = &w->instances[index];
    if (in->row.id.b[0] | in->row.id.b[3] &&
        !transition_legal((enum state)in->row.state, (enum state)subject->instance->state))
        world_break(w, "a transition that the state table does not hold");
    check_reached(w, index, (enum state)subject->instance->state);
    check_proof(w, subject);
    in->row = *subject->instance;
    in->row.change = ROW_KEPT;
    in->intents = subject->intents;
    for (size_t i = 0; i < in->intents.n; i++)
        vec_at(&in->intents, struct intent, i)->change = ROW_KEPT;
    store_steps(w, in, &subject->past);
    store_steps(w, in, &subject->steps);
    for (size_t i = 0; i < subject->documents.n; i++) {
        struct document *document = vec_at(&subject->documents, struct document, i);
        if (document->send) {
            struct outbox_item *item = vec_add(&w->arena, &w->outbox, struct outbox_item);
            item->record = (struct record){.is_document = true, .instance = index, .kind = document->kind};
            for (int n = 0; n < NODES; n++)
                if (uuid_eq(w->nodes[n].row.id, document->node_id))
                    item->record.node = n;
        }
        document->send = false;
        document->change = ROW_KEPT;
    }
    in->documents = subject->documents;
    for (size_t i = 0; i < subject->works.n; i++)
        if (vec_at(&subject->works, struct work, i)->change == ROW_NEW) {
            *vec_add(&w->arena, &w->works, struct work) = *vec_at(&subject->works, struct work, i);
            vec_at(&w->works, struct work, w->works.n - 1)->change = ROW_KEPT;
        }
    w->names[in->name].row = *subject->name;
    w->names[in->name].row.change = ROW_KEPT;
    for (size_t i = 0; i < decision->orders.n; i++)
        add_order(w, vec_at(&decision->orders, struct order_out, i), in);
    for (size_t i = 0; i < decision->timers.n; i++)
        set_timer(w, vec_at(&decision->timers, struct timer, i));
    for (size_t i = 0; i < decision->events.n; i++)
        world_note(w, "    event %d %s", index, vec_at(&decision->events, struct event_row, i)->type);
}

static struct decision new_decision(struct world *w, struct uuid seed) {
    return (struct decision){.arena = &w->arena,
                             .settings = &w->settings,
                             .now = w->now,
                             .epoch = 1,
                             .random = world_random(w, 1000),
                             .seed = seed};
}

/* A coordinator may die before COMMIT (nothing happened), or its reply be lost (the same input runs again,
 * with the same identities): then a claimed row says that it is done, so it is not decided twice. */
bool world_transact(struct world *w, int index, world_decider *decider, void *arg) {
    struct uuid seed = world_seed(w);
    for (;;) {
        struct instance row;
        struct name name;
        struct subject subject = load(w, index, &row, &name);
        struct decision decision = new_decision(w, seed);
        bool accepted = decider(w, &subject, &decision, arg);
        if (w->faults && world_random(w, 20) == 0)
            continue; /* rolled back: again */
        if (accepted)
            store(w, index, &subject, &decision);
        return accepted;
    }
}

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
    static const enum intent_kind kinds[] = {INTENT_STOP, INTENT_START, INTENT_RETRY, INTENT_EXTEND,
                                             INTENT_DELETE};
    if (w->instances_n == 0 || world_random(w, 4) == 0) {
        create(w);
        return;
    }
    int index = (int)world_random(w, (uint64_t)w->instances_n);
    struct decide_event event = {
        .kind = DECIDE_INTENT, .intent = kinds[world_random(w, 5)], .params = "{\"days\":3}"};
    if (w->instances[index].row.state == STATE_DELETED)
        return;
    bool accepted = world_transact(w, index, decide_event_of, &event);
    world_note(w, "request: %s %d %s", intent_rows[event.intent].name, index,
               accepted ? "accepted" : "refused");
}

/* ---- the clock ---- */

static int instance_of(const struct world *w, const char *hex) {
    char text[UUID_HEX_SIZE];
    for (int i = 0; i < w->instances_n; i++)
        if (str_eq(uuid_hex(w->instances[i].row.id, text), hex))
            return i;
    return -1;
}

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
            set_timer(w, &due);
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
static void count_nodes(struct world *w, struct node nodes[NODES]) {
    for (int i = 0; i < NODES; i++) {
        struct vec ports = {0};
        nodes[i] = w->nodes[i].row;
        for (int64_t port = nodes[i].port_low; port <= nodes[i].port_high; port++)
            for (int k = 0; k < w->instances_n; k++) {
                const struct instance *other = &w->instances[k].row;
                if (!uuid_eq(other->node_id, nodes[i].id) || other->state == STATE_DELETED ||
                    other->port != port)
                    continue;
                *vec_add(&w->arena, &ports, int64_t) = port;
                nodes[i].memory_used += other->memory_mb;
                nodes[i].cpu_used += other->cpu_milli;
                nodes[i].disk_used += other->disk_mb;
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
    struct decide_event wake = {.kind = DECIDE_WAKE},
                        expire = {.kind = DECIDE_INTENT, .intent = INTENT_EXPIRE};
    int index = instance_of(w, timer.subject);
    if (timer.kind == TIMER_PLACE) {
        place_all(w);
    } else if (timer.kind == TIMER_WORK) {
        struct work *work = find_work(w, timer.subject);
        struct decision decision = new_decision(w, world_seed(w));
        if (work && decide_work_due(work, waiting_since(w, timer.subject), &decision))
            fan_out(w, timer.subject);
        world_take_decision(w, &decision);
    } else if (index >= 0 && timer.kind == TIMER_EXPIRE) {
        if (w->instances[index].row.expires_at > w->now) {
            timer.due_at = w->instances[index].row.expires_at;
            set_timer(w, &timer);
        } else {
            world_note(w, "clock: %d expires", index);
            (void)world_transact(w, index, decide_event_of, &expire);
        }
    } else if (index >= 0) {
        (void)world_transact(w, index, decide_event_of, &wake);
    }
}

void world_hear(struct world *w, int n, const char *health) {
    w->nodes[n].row.health = health;
    for (int i = 0; i < w->instances_n; i++) {
        const struct instance *row = &w->instances[i].row;
        char hex[UUID_HEX_SIZE];
        struct timer timer = {.kind = TIMER_INSTANCE, .due_at = w->now};
        if (!uuid_eq(row->node_id, w->nodes[n].row.id) && !uuid_eq(row->edge_id, w->nodes[n].row.id))
            continue;
        timer.subject = arena_strdup(&w->arena, uuid_hex(row->id, hex));
        set_timer(w, &timer);
    }
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
        struct decision decision = new_decision(w, world_seed(w));
        if (work && uuid_eq(work->order_id, report.event.order_id) &&
            decide_work_report(work, report.event.attempt, report.event.result, &report.event.problem,
                               report.event.facts, &decision))
            fan_out(w, report.work_key);
        world_take_decision(w, &decision);
        return;
    }
    (void)world_transact(w, report.instance, decide_event_of, &report.event);
}
