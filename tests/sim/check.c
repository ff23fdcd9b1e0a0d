/* What must hold after every event, and at the end (P1, P3, P4, P6, P14, P23 in small). */
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "model/message.h"
#include "proto/fairlead.pb-c.h"
#include "tests/sim/world.h"

#include <string.h>

/* NULL: it has none, or has given its room back. */
static const struct set *placed_set(const struct world *w, int instance) {
    const struct vec *sets = &w->instances[instance].sets;
    const struct set *set = sets->n ? vec_at(sets, struct set, 0) : NULL;
    return set && set->state == SET_PLACED ? set : NULL;
}

/* Room is given back when an instance ends, and not before. */
static void check_room(struct world *w) {
    for (int i = 0; i < w->instances_n; i++) {
        const struct instance *row = &w->instances[i].row;
        const struct set *set = placed_set(w, i);
        if (set && row->state == STATE_DELETED)
            world_break(w, "a deleted instance keeps its room");
        if (set && (!uuid_eq(set->node_id, row->node_id) || set->port != row->port))
            world_break(w, "an instance tells another place than its set has");
    }
}

static void check_reservations(struct world *w) {
    for (int n = 0; n < NODES; n++) {
        int64_t memory = 0;
        for (int i = 0; i < w->instances_n; i++) {
            const struct set *a = placed_set(w, i);
            if (!a || !uuid_eq(a->node_id, w->nodes[n].row.id))
                continue;
            memory += w->instances[i].row.memory_mb;
            for (int k = 0; k < i; k++) {
                const struct set *b = placed_set(w, k);
                if (b && uuid_eq(b->node_id, a->node_id) && b->port == a->port)
                    world_break(w, "two instances have one port of one node");
            }
        }
        if (memory > w->nodes[n].row.memory_mb)
            world_break(w, "reservations exceed a node");
    }
}

static const struct intent *running_of(const struct sim_instance *in) {
    for (size_t i = 0; i < in->intents.n; i++)
        if (vec_at(&in->intents, struct intent, i)->generation == in->row.running)
            return vec_at(&in->intents, struct intent, i);
    return NULL;
}

/* Nobody waits for what its nodes say, so they do it in any order. */
static bool is_forgotten(const struct sim_instance *in) {
    const struct intent *intent = running_of(in);
    return intent && intent->walk == WALK_FORGET;
}

/* Every effect has an intent: nothing runs that was never wanted so, and nothing of a deleted instance. */
static void check_effects(struct world *w) {
    for (int n = 0; n < NODES; n++)
        for (int i = 0; i < w->instances_n; i++)
            for (int k = 0; k < DOCUMENT_KIND_COUNT; k++) {
                const struct held *held = &w->nodes[n].held[i][k];
                const struct document *document = NULL;
                for (size_t d = 0; d < w->instances[i].documents.n; d++) {
                    const struct document *row = vec_at(&w->instances[i].documents, struct document, d);
                    if (row->kind == k && uuid_eq(row->node_id, w->nodes[n].row.id))
                        document = row;
                }
                if (held->revision && !document)
                    world_break(w, "a node holds a document that has no row");
                if (document && held->revision > document->revision)
                    world_break(w, "a node is ahead of the database");
                if (held->live && k != DOCUMENT_WATCH && w->instances[i].row.state == STATE_DELETED &&
                    !is_forgotten(&w->instances[i]))
                    world_break(w, "something of a deleted instance is live");
            }
}

/* One name, one live owner. */
static void check_names(struct world *w) {
    for (int a = 0; a < w->instances_n; a++)
        for (int b = 0; b < a; b++)
            if (w->instances[a].name == w->instances[b].name && w->instances[a].row.state != STATE_DELETED &&
                w->instances[b].row.state != STATE_DELETED)
                world_break(w, "two instances hold one name");
    for (int i = 0; i < w->instances_n; i++) {
        char owner[UUID_HEX_SIZE];
        const struct dns_name *dns = &w->dns[w->instances[i].name];
        if (w->instances[i].row.state == STATE_DELETED && dns->has_address &&
            strstr(dns->marker, uuid_hex(w->instances[i].row.id, owner)))
            world_break(w, "the name of a deleted instance points somewhere");
    }
}

static void check_acknowledged(struct world *w) {
    for (int i = 0; i < w->instances_n; i++) {
        const struct sim_instance *in = &w->instances[i];
        if (in->acknowledged && !in->intents.n)
            world_break(w, "an acknowledged request is lost");
        int running = 0;
        for (size_t k = 0; k < in->intents.n; k++)
            running += vec_at(&in->intents, struct intent, k)->state == INTENT_RUNNING;
        if (running > 1)
            world_break(w, "two walks of one instance run");
    }
}

/* ---- what is sent ---- */

static void check_stack(struct world *w, const struct document *document) {
    Fairlead__V1__Stack *stack = fairlead__v1__stack__unpack(NULL, document->content.n, document->content.p);
    if (!stack)
        world_break(w, "a stack that cannot be read");
    else if (!document->absent && stack->running && stack->n_images < release_images(w->release))
        world_break(w, "a stack is told to run without its image");
    else if (!document->absent && stack->running && (!stack->port || !*stack->address))
        world_break(w, "a stack is told to run nowhere");
    if (stack)
        fairlead__v1__stack__free_unpacked(stack, NULL);
}

void world_check_document(struct world *w, const struct document *document) {
    if (document->kind == DOCUMENT_STACK)
        check_stack(w, document);
}

void world_check_order(struct world *w, const struct sim_instance *in, const struct order_out *out) {
    Fairlead__V1__Order *order = fairlead__v1__order__unpack(NULL, out->order.n, out->order.p);
    if (!order || order->act_case == FAIRLEAD__V1__ORDER__ACT__NOT_SET)
        world_break(w, "an order that says nothing");
    else if (order->act_case == FAIRLEAD__V1__ORDER__ACT_PROBE && str_eq(w->plane.mode, "private"))
        world_break(w, "a prober of ours is to reach into a customer's network");
    else if (order->act_case == FAIRLEAD__V1__ORDER__ACT_DNS && !order->dns->absent && !*order->dns->address)
        world_break(w, "a name is told to point nowhere");
    else if (order->act_case == FAIRLEAD__V1__ORDER__ACT_DNS && in &&
             order->dns->absent != (in->row.state == STATE_DELETING))
        world_break(w, "a name is taken away, or kept, though nobody asked for that");
    if (order)
        fairlead__v1__order__free_unpacked(order, NULL);
}

void world_check_work(struct world *w, const struct work *work) {
    cleanup_json json_t *params = json_loads(work->params, 0, NULL);
    if (work->kind == STEP_BUILD && !json_str(params, "commit"))
        world_break(w, "something is built of no commit");
}

/* ---- what is done ---- */

static const struct held *edge_of(const struct world *w, int instance, int kind) {
    const struct uuid id =
        kind == DOCUMENT_ROUTE ? w->instances[instance].row.edge_id : w->instances[instance].row.node_id;
    for (int n = 0; n < NODES; n++)
        if (uuid_eq(w->nodes[n].row.id, id))
            return &w->nodes[n].held[instance][kind];
    return NULL;
}

/* Its walk is under way, so nothing is proved yet. */
static bool is_being_made(const struct sim_instance *in) {
    const struct intent *intent = running_of(in);
    return intent && intent->state == INTENT_RUNNING &&
           (intent->walk == WALK_CREATE || intent->walk == WALK_START);
}

void world_check_act(struct world *w, int instance, int kind, const struct held *held) {
    const struct sim_instance *in = &w->instances[instance];
    const struct held *route = edge_of(w, instance, DOCUMENT_ROUTE),
                      *stack = edge_of(w, instance, DOCUMENT_STACK);
    const struct dns_name *dns = &w->dns[in->name];
    bool deleting = in->row.state == STATE_DELETING;
    if (!w->calm || !route || !stack || is_forgotten(in))
        return;
    if (kind == DOCUMENT_STACK && !held->live && route->live)
        world_break(w, "an app goes while its name leads to it");
    if (kind == DOCUMENT_STACK && held->absent && route->revision && !route->absent)
        world_break(w, "an app is taken away before what its name shows");
    if (kind == DOCUMENT_ROUTE && held->live && !stack->live)
        world_break(w, "a name leads to an app that does not run yet");
    if (kind == DOCUMENT_ROUTE && held->absent && deleting &&
        (dns->has_address || w->now - dns->off_at < w->settings.dns_ttl_s * CLOCK_S))
        world_break(w, "a route goes while caches still have its name");
    bool proves = str_eq(w->plane.mode, "private"); /* there it is the watch that does */
    if (kind == DOCUMENT_WATCH && held->live && !proves && is_being_made(in))
        world_break(w, "something is watched before it was proved");
}

/* ---- what must hold after every event ---- */

void world_check(struct world *w) {
    check_room(w);
    check_reservations(w);
    check_effects(w);
    check_names(w);
    check_acknowledged(w);
}

static const struct held *held_of(const struct world *w, int instance, int kind) {
    for (size_t d = 0; d < w->instances[instance].documents.n; d++) {
        const struct document *document = vec_at(&w->instances[instance].documents, struct document, d);
        for (int n = 0; n < NODES; n++)
            if (document->kind == kind && uuid_eq(document->node_id, w->nodes[n].row.id))
                return &w->nodes[n].held[instance][kind];
    }
    return NULL;
}

static bool is_left(const struct held *held) {
    return held && held->revision && !held->absent;
}

/* What its visitors read says what it is. */
static void check_page(struct world *w, const struct sim_instance *in) {
    const char *says = in->row.state == STATE_STOPPED     ? "is stopped"
                       : in->row.state == STATE_SUSPENDED ? "trial"
                                                          : NULL;
    for (size_t d = 0; says && d < in->documents.n; d++) {
        const struct document *document = vec_at(&in->documents, struct document, d);
        Fairlead__V1__Route *route =
            document->kind == DOCUMENT_ROUTE
                ? fairlead__v1__route__unpack(NULL, document->content.n, document->content.p)
                : NULL;
        if (route && !strstr(route->page, says))
            world_break(w, "the page of an app that does not run does not say why");
        if (route)
            fairlead__v1__route__free_unpacked(route, NULL);
    }
}

/* An end that has come is carried out, unless there was nothing to end. */
static void check_time(struct world *w, const struct sim_instance *in, const struct held *stack) {
    bool over = in->row.expires_at && in->row.expires_at + CLOCK_DAY < w->now;
    bool goes_on = in->row.state == STATE_RUNNING || in->row.state == STATE_STOPPED ||
                   (in->row.state == STATE_NEW && stack);
    if (over && goes_on && !in->noop)
        world_break(w, "an app goes on though its time has ended");
}

/* What is to be on says what it would say if it were made now: whatever it is made of, a change has reached
 * it. */
static bool check_documents(struct world *w, struct subject *subject, struct decision *decision, void *arg) {
    (void)arg;
    for (size_t i = 0; i < subject->documents.n; i++) {
        const struct document *document = vec_at(&subject->documents, struct document, i);
        struct wanted wanted =
            document_want(subject, decision, document->kind, document->letter, (enum want)document->want);
        if (document->want == WANT_NOTHING)
            world_break(w, "a document does not say what it was made for");
        if (document->want == WANT_ON &&
            (wanted.content.n != document->content.n ||
             memcmp(wanted.content.p, document->content.p, wanted.content.n) != 0))
            world_break(w, "a document holds what was true once");
    }
    return false;
}

/* When the faults have stopped: every request ended, and the machines are as the rows say. */
void world_check_end(struct world *w) {
    for (int i = 0; i < w->instances_n; i++) {
        const struct sim_instance *in = &w->instances[i];
        for (size_t k = 0; k < in->intents.n; k++) {
            const struct intent *intent = vec_at(&in->intents, struct intent, k);
            const struct step *step = NULL;
            bool waits_for_room = false;
            for (size_t s = 0; s < in->steps.n; s++) {
                step = vec_at(&in->steps, struct step, s);
                waits_for_room = waits_for_room || (step->kind == STEP_PLACE && step->state == STEP_OPEN);
            }
            if ((intent->state == INTENT_RUNNING || intent->state == INTENT_QUEUED) && !waits_for_room)
                world_break(w, "pending work does not end");
        }
        const struct held *stack = held_of(w, i, DOCUMENT_STACK), *route = held_of(w, i, DOCUMENT_ROUTE),
                          *watch = held_of(w, i, DOCUMENT_WATCH);
        if (in->row.state == STATE_RUNNING && !in->noop &&
            (!stack || !stack->live || !route || !route->live || !w->dns[in->name].has_address))
            world_break(w, "an instance is called running and is not");
        if (in->row.state == STATE_RUNNING && !in->noop &&
            (!watch || !watch->live || !str_eq(in->row.health, "ok")))
            world_break(w, "a running instance is not watched, or its health is wrong");
        if (in->row.state != STATE_RUNNING && in->row.state != STATE_FAILED && watch && watch->live)
            world_break(w, "something is watched that is not served");
        if ((in->row.state == STATE_STOPPED || in->row.state == STATE_SUSPENDED) && stack && stack->live)
            world_break(w, "an instance is called stopped and runs");
        if (in->row.state == STATE_DELETED && (is_left(stack) || is_left(route) || is_left(watch)))
            world_break(w, "a deleted instance has left something behind");
        if (in->row.state == STATE_FAILED || in->row.state == STATE_DELETING)
            world_break(w, "asked for again, with nothing in its way, it fails again");
        (void)world_transact(w, i, check_documents, NULL);
        world_check_once(w, in);
        check_page(w, in);
        check_time(w, in, stack);
    }
}
