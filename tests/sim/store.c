/* The rows of the simulated database: a subject as it is loaded, and what was decided, whole or not at all.
 */
#include "base/clock.h"
#include "base/str.h"
#include "proto/fairlead.pb-c.h"
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

int world_instance_of(const struct world *w, const char *hex) {
    char text[UUID_HEX_SIZE];
    for (int i = 0; i < w->instances_n; i++)
        if (str_eq(uuid_hex(w->instances[i].row.id, text), hex))
            return i;
    return -1;
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

void world_load(struct world *w, int index, struct subject *subject) {
    const struct sim_instance *in = &w->instances[index];
    struct instance *row = arena_new(&w->arena, struct instance);
    struct name *name = arena_new(&w->arena, struct name);
    *row = in->row;
    *name = w->names[in->name].row;
    if (!uuid_eq(name->instance_id, row->id)) /* its heir's by now */
        name = NULL;
    *subject = (struct subject){
        .release = in->noop ? w->noop : w->release,
        .plane = &w->plane,
        .instance = row,
        .name = name,
        .intents = copy_vec(w, &in->intents, sizeof(struct intent)),
        .documents = copy_vec(w, &in->documents, sizeof(struct document)),
        .works = copy_vec(w, &w->works, sizeof(struct work)),
        .sets = copy_vec(w, &in->sets, sizeof(struct set)),
        .edge = node_of(w, row->edge_id),
        .prober = node_of(w, row->prober_id),
    };
    for (size_t i = 0; i < in->steps.n; i++)
        if (vec_at(&in->steps, struct step, i)->generation == row->running)
            *vec_add(&w->arena, &subject->steps, struct step) = *vec_at(&in->steps, struct step, i);
    for (size_t i = 0; i < subject->sets.n; i++) {
        struct set *set = vec_at(&subject->sets, struct set, i);
        set->host = node_of(w, set->node_id);
    }
}

void world_set_timer(struct world *w, const struct timer *timer) {
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

static bool wants_absent(const struct order_out *out) {
    Fairlead__V1__Order *order = fairlead__v1__order__unpack(NULL, out->order.n, out->order.p);
    bool absent = order && order->act_case == FAIRLEAD__V1__ORDER__ACT_DNS && order->dns->absent;
    if (order)
        fairlead__v1__order__free_unpacked(order, NULL);
    return absent;
}

static const struct step *step_of(const struct sim_instance *in, struct uuid order_id) {
    for (size_t i = 0; i < in->steps.n; i++)
        if (uuid_eq(vec_at(&in->steps, struct step, i)->order_id, order_id))
            return vec_at(&in->steps, struct step, i);
    return NULL;
}

/* An order about a name, of the step that gave it. */
static void address_order(struct world *w, struct record *r, const struct sim_instance *in,
                          const struct step *step) {
    char hex[UUID_HEX_SIZE];
    const struct name *name = &w->names[in->name].row;
    (void)snprintf(r->subject, sizeof r->subject, "%s", uuid_hex(in->row.id, hex));
    (void)snprintf(r->replaces, sizeof r->replaces, "%s", name->replaces ? name->replaces : "");
    r->attempt = step->attempt;
    r->name = in->name;
    r->owner = in->row.id;
    r->serial = name->serial;
}

/* Sent after the rows were stored: the step or the work that gave it says whom it is about. */
static void add_order(struct world *w, const struct order_out *order) {
    const struct sim_instance *in = NULL;
    struct outbox_item *item = vec_add(&w->arena, &w->outbox, struct outbox_item);
    struct record *r = &item->record;
    *r = (struct record){.order_id = order->id,
                         .step = order->kind,
                         .not_after = order->not_after,
                         .dns_absent = wants_absent(order)};
    for (int i = 0; i < w->instances_n && !in; i++)
        if (step_of(&w->instances[i], order->id))
            in = &w->instances[i];
    if (in)
        address_order(w, r, in, step_of(in, order->id));
    for (size_t i = 0; i < w->works.n && !in; i++) {
        const struct work *work = vec_at(&w->works, struct work, i);
        if (!uuid_eq(work->order_id, order->id))
            continue;
        r->attempt = work->attempt;
        (void)snprintf(r->subject, sizeof r->subject, "%s", work->key);
    }
    if (!*r->subject)
        world_break(w, "an order that no row gave");
    world_check_order(w, in, order);
}

void world_take_decision(struct world *w, const struct decision *decision) {
    for (size_t i = 0; i < decision->timers.n; i++)
        world_set_timer(w, vec_at(&decision->timers, struct timer, i));
    for (size_t i = 0; i < decision->orders.n; i++)
        add_order(w, vec_at(&decision->orders, struct order_out, i));
    for (size_t i = 0; i < decision->events.n; i++) {
        const struct event_row *event = vec_at(&decision->events, struct event_row, i);
        char hex[UUID_HEX_SIZE];
        world_note(w, "    event %d %s", world_instance_of(w, uuid_hex(event->instance_id, hex)),
                   event->type);
    }
}

static void store_steps(struct world *w, struct sim_instance *in, const struct vec *steps) {
    for (size_t i = 0; i < steps->n; i++) {
        struct step *step = vec_at(steps, struct step, i);
        struct step *row = NULL;
        for (size_t k = 0; k < in->steps.n && !row; k++) {
            struct step *s = vec_at(&in->steps, struct step, k);
            if (s->generation == step->generation && str_eq(s->act, step->act) && str_eq(s->part, step->part))
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

/* Nobody waits for what its nodes say. */
static bool is_forgotten(const struct subject *subject) {
    const struct intent *intent = subject_running(subject);
    return intent && intent->walk == WALK_FORGET;
}

/* A state is proved when it is reached: nothing of a stopped or deleted instance is live at that moment. */
static void check_reached(struct world *w, int index, const struct subject *subject) {
    enum state state = (enum state)subject->instance->state;
    if ((int)state == w->instances[index].row.state || is_forgotten(subject))
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
            subject_document(subject, (int)subject_carrier(subject, step), step->letter);
        if (step->kind == STEP_WATCH || step->state != STEP_DONE || step->change == ROW_KEPT || !document)
            continue;
        if (document->observed != document->revision)
            world_break(w, "a step is done by what was said of an older document");
    }
}

struct work *world_work(struct world *w, const char *key) {
    for (size_t i = 0; i < w->works.n; i++)
        if (str_eq(vec_at(&w->works, struct work, i)->key, key))
            return vec_at(&w->works, struct work, i);
    return NULL;
}

/* Whoever asks for the same at the same time finds it there. */
static void insert_work(struct world *w, const struct work *work) {
    world_check_work(w, work);
    if (world_work(w, work->key))
        return;
    struct work *row = vec_add(&w->arena, &w->works, struct work);
    *row = *work;
    row->change = ROW_KEPT;
}

/* As the store writes what changed; also of an earlier generation, whose steps a delete dropped. */
void world_store(struct world *w, struct subject *subject) {
    char hex[UUID_HEX_SIZE];
    int index = world_instance_of(w, uuid_hex(subject->instance->id, hex));
    struct sim_instance *in = &w->instances[index];
    if (in->row.id.b[0] | in->row.id.b[3] &&
        !transition_legal((enum state)in->row.state, (enum state)subject->instance->state))
        world_break(w, "a transition that the state table does not hold");
    check_reached(w, index, subject);
    if (!is_forgotten(subject))
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
            world_check_document(w, document);
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
    in->sets = subject->sets;
    for (size_t i = 0; i < in->sets.n; i++)
        vec_at(&in->sets, struct set, i)->change = ROW_KEPT;
    for (size_t i = 0; i < subject->works.n; i++)
        if (vec_at(&subject->works, struct work, i)->change == ROW_NEW)
            insert_work(w, vec_at(&subject->works, struct work, i));
    if (subject->name) {
        w->names[in->name].row = *subject->name;
        w->names[in->name].row.change = ROW_KEPT;
    }
}

bool world_transact(struct world *w, int index, world_decider *decider, void *arg) {
    struct subject subject;
    struct decision decision = {.arena = &w->arena,
                                .settings = &w->settings,
                                .now = w->now,
                                .epoch = 1,
                                .random = world_random(w, 1000),
                                .seed = world_seed(w)};
    world_load(w, index, &subject);
    if (!decider(w, &subject, &decision, arg))
        return false;
    world_store(w, &subject);
    world_take_decision(w, &decision);
    return true;
}
