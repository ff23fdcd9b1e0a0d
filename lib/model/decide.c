#include "model/decide.h"

#include "base/json.h"
#include "base/str.h"
#include "model/decide_work.h"

#include <stdlib.h>
#include <string.h>

struct uuid decision_id(struct decision *decision) {
    return uuid_derive(decision->seed, ++decision->ids);
}

void decision_event(struct subject *subject, struct decision *decision, enum event_kind kind, json_t *data) {
    struct instance *instance = subject->instance;
    const struct intent *intent = subject_intent(subject, instance->running);
    struct event_row *event = vec_add(decision->arena, &decision->events, struct event_row);
    cleanup_json json_t *object = data ? data : json_object();
    cleanup_free char *text = json_text(object);
    *event = (struct event_row){
        .id = decision_id(decision),
        .tenant_id = instance->tenant_id,
        .instance_id = instance->id,
        .sequence = ++instance->event_seq,
        .generation = instance->running,
        .at = decision->now,
        .type = event_rows[kind].type,
        .data = arena_strdup(decision->arena, text),
        .trace = intent ? intent->trace : NULL,
    };
    if (instance->change == ROW_KEPT)
        instance->change = ROW_CHANGED;
}

void decision_timer(struct decision *decision, enum timer_kind kind, const char *subject, int64_t due_at) {
    struct timer *timer = vec_add(decision->arena, &decision->timers, struct timer);
    *timer =
        (struct timer){.kind = kind, .subject = arena_strdup(decision->arena, subject), .due_at = due_at};
    if (due_at && due_at <= decision->now)
        decision->works_due = true;
}

struct intent *subject_intent(const struct subject *subject, int64_t generation) {
    for (size_t i = 0; i < subject->intents.n; i++)
        if (vec_at(&subject->intents, struct intent, i)->generation == generation)
            return vec_at(&subject->intents, struct intent, i);
    return NULL;
}

struct document *subject_document(const struct subject *subject, int kind) {
    for (size_t i = 0; i < subject->documents.n; i++)
        if (vec_at(&subject->documents, struct document, i)->kind == kind)
            return vec_at(&subject->documents, struct document, i);
    return NULL;
}

/* The state that everything accepted so far leads to: what a new request is judged by. */
static enum state projected_state(const struct subject *subject) {
    enum state state = (enum state)subject->instance->state;
    for (size_t i = 0; i < subject->intents.n; i++) {
        const struct intent *intent = vec_at(&subject->intents, struct intent, i);
        if (intent->state != INTENT_RUNNING && intent->state != INTENT_QUEUED)
            continue;
        if (intent->kind == INTENT_DELETE)
            state = STATE_DELETING;
        else if (walk_rows[intent->walk].end != STATE_COUNT)
            state = walk_rows[intent->walk].end;
        else if (intent->kind == INTENT_RETRY)
            state = STATE_RUNNING;
    }
    return state;
}

static bool refuse(struct subject *subject, const struct decide_event *event, struct decision *decision,
                   enum state state, struct refusal *refusal) {
    static const char *const hints[STATE_COUNT] = {
        [STATE_NEW] = "It is still being made: wait until it is running.",
        [STATE_RUNNING] = "It is running.",
        [STATE_STOPPED] = "It is stopped: start it first.",
        [STATE_SUSPENDED] = "Its time has ended: extend it first.",
        [STATE_FAILED] = "Its last step failed: retry it, or delete it.",
        [STATE_DELETING] = "It is being deleted.",
        [STATE_DELETED] = "It is deleted.",
    };
    bool already = (event->intent == INTENT_START && state == STATE_RUNNING) ||
                   (event->intent == INTENT_STOP && state == STATE_STOPPED);
    const char *about = already ? arena_printf(decision->arena, "It is %s already.", state_rows[state].name)
                        : subject->instance->state == STATE_NEW ? hints[STATE_NEW]
                                                                : hints[state];
    *refusal = (struct refusal){
        .status = 409,
        .code = "wrong_state",
        .sentence = arena_printf(decision->arena, "\"%s\" cannot be asked to %s now. %s",
                                 subject->instance->name, intent_rows[event->intent].name, about),
    };
    return false;
}

/* What was never begun, or may go on without harm, makes way for a delete: documents and orders of the delete
 * carry higher numbers, so whatever is still on its way loses. */
static void preempt(struct subject *subject, struct decision *decision) {
    for (size_t i = 0; i < subject->intents.n; i++) {
        struct intent *intent = vec_at(&subject->intents, struct intent, i);
        bool ended = intent->state != INTENT_QUEUED && intent->state != INTENT_RUNNING;
        if (ended || /* history is not rewritten */
            intent->generation == subject->instance->accepted)
            continue;
        intent->state = INTENT_DROPPED;
        intent->ended_at = decision->now;
        intent->change = intent->change == ROW_NEW ? ROW_NEW : ROW_CHANGED;
    }
    for (size_t i = 0; i < subject->steps.n; i++) {
        struct step *step = vec_at(&subject->steps, struct step, i);
        if (step->state != STEP_WAITING && step->state != STEP_OPEN)
            continue;
        step->state = STEP_DROPPED;
        step->next_at = 0;
        step->change = step->change == ROW_NEW ? ROW_NEW : ROW_CHANGED;
    }
}

static bool accept_intent(struct subject *subject, const struct decide_event *event,
                          struct decision *decision, struct refusal *refusal) {
    struct instance *instance = subject->instance;
    enum state state = projected_state(subject);
    const struct cell_row *cell = cell_find(state, event->intent);
    if (!cell)
        return refuse(subject, event, decision, state, refusal);
    struct intent *intent = vec_add(decision->arena, &subject->intents, struct intent);
    *intent = (struct intent){
        .change = ROW_NEW,
        .tenant_id = instance->tenant_id,
        .instance_id = instance->id,
        .request_id = event->request_id,
        .generation = ++instance->accepted,
        .accepted_at = decision->now,
        .kind = event->intent,
        .walk = cell->walk,
        .state = INTENT_QUEUED,
        .params = event->params,
        .trace = event->trace,
    };
    instance->updated_at = decision->now;
    if (instance->change == ROW_KEPT)
        instance->change = ROW_CHANGED;
    if (event->intent == INTENT_DELETE)
        preempt(subject, decision);
    decision_event(subject, decision, intent_rows[event->intent].event,
                   json_pack("{s:I}", "generation", (json_int_t)intent->generation));
    walk_advance(subject, decision);
    return true;
}

/* What had parked has succeeded after all: the walk goes on where it stood, and nobody has to ask. But for an
 * end that is not due any more. */
static void revive(struct subject *subject, struct decision *decision) {
    struct intent *intent = subject_intent(subject, subject->instance->running);
    if (!intent || intent->state != INTENT_FAILED ||
        (intent->walk == WALK_EXPIRE && !instance_is_over(subject->instance, decision->now)))
        return;
    for (size_t i = 0; i < subject->steps.n; i++)
        if (vec_at(&subject->steps, struct step, i)->state == STEP_PARKED)
            return;
    for (size_t i = 0; i < subject->steps.n; i++) {
        struct step *step = vec_at(&subject->steps, struct step, i);
        if (step->state != STEP_DROPPED)
            continue;
        step->state = STEP_WAITING;
        step->attempt = 0;
        step->order_id = (struct uuid){0};
        step->change = step->change == ROW_NEW ? ROW_NEW : ROW_CHANGED;
    }
    intent->state = INTENT_RUNNING;
    intent->ended_at = 0;
    intent->change = intent->change == ROW_NEW ? ROW_NEW : ROW_CHANGED;
    walk_goes_on(subject, decision, intent);
}

/* Success of any attempt of the running generation counts, whenever it comes; failure only of the present
 * attempt (protocol section 6). */
static void take_order(struct subject *subject, const struct decide_event *event, struct decision *decision) {
    for (size_t i = 0; i < subject->steps.n; i++) {
        struct step *step = vec_at(&subject->steps, struct step, i);
        if (!uuid_eq(step->order_id, event->order_id))
            continue;
        bool counts = event->result == RESULT_IS_OK
                          ? step->state == STEP_OPEN || step->state == STEP_PARKED
                          : step->state == STEP_OPEN && event->attempt == step->attempt;
        bool late = counts && step->state == STEP_PARKED;
        if (counts)
            step_settle(subject, decision, step, event->result, &event->problem, event->facts);
        if (late)
            revive(subject, decision);
        break;
    }
    walk_advance(subject, decision);
}

bool decide_is_late(const struct document *document, const struct decide_event *event) {
    int order = memcmp(event->stream.b, document->stream.b, sizeof event->stream.b);
    return order < 0 || (order == 0 && event->report_n <= document->report_n);
}

static const char *wanted_condition(const struct document *document, enum want want) {
    if (document->absent)
        return "absent";
    return document->kind == DOCUMENT_STACK && want != WANT_ON ? "stopped" : "healthy";
}

/* What a node put right by itself, as facts of its report: {"drift": what it found}. */
static void tell_drift(struct subject *subject, const struct decide_event *event, const json_t *facts,
                       struct decision *decision) {
    const char *drift = json_str(facts, "drift");
    if (drift)
        decision_event(
            subject, decision, EVENT_DRIFT_REPAIRED,
            json_pack("{s:s, s:s}", "document", document_rows[event->document_kind].name, "reason", drift));
}

#define DISK_MAX_MB                                                                                          \
    (INT64_C(1) << 40) /* more is no disk: a node's word must not overflow what is computed of it */

/* How much of its disk it takes, as its host measures: told once when it passes four fifths, and again when
 * it had been below. */
static void take_disk(struct subject *subject, const struct decide_event *event, const json_t *facts,
                      struct decision *decision) {
    struct instance *instance = subject->instance;
    int64_t mb, full = instance->disk_mb * 4 / 5;
    if (event->document_kind != DOCUMENT_STACK ||
        !str_to_int(json_str(facts, "disk_used_mb"), 0, DISK_MAX_MB, &mb) || mb == instance->disk_used_mb)
        return;
    if (full && mb >= full && instance->disk_used_mb < full)
        decision_event(
            subject, decision, EVENT_DISK_FILLING,
            json_pack("{s:I, s:I}", "used_mb", (json_int_t)mb, "size_mb", (json_int_t)instance->disk_mb));
    instance->disk_used_mb = mb;
    if (instance->change == ROW_KEPT)
        instance->change = ROW_CHANGED;
}

static struct step *step_of_document(const struct subject *subject, int kind) {
    for (size_t i = 0; i < subject->steps.n; i++) {
        struct step *step = vec_at(&subject->steps, struct step, i);
        if ((int)document_kind_of_step((enum step_kind)step->kind) == kind && step->state != STEP_WAITING)
            return step;
    }
    return NULL;
}

static void take_document(struct subject *subject, const struct decide_event *event,
                          struct decision *decision) {
    struct instance *instance = subject->instance;
    struct document *document = subject_document(subject, event->document_kind);
    if (!document || !uuid_eq(document->node_id, event->node_id) || decide_is_late(document, event))
        return;
    document->stream = event->stream;
    document->report_n = event->report_n;
    document->condition = event->condition;
    document->observed = event->revision;
    if (document->change == ROW_KEPT)
        document->change = ROW_CHANGED;
    if (event->epoch != document->epoch || event->revision != document->revision)
        return; /* about an older revision: remembered, but it proves nothing */
    const struct intent *intent = subject_intent(subject, instance->running);
    struct step *step = step_of_document(subject, event->document_kind);
    const struct walk_step_row *row =
        step ? walk_step_find((enum walk)intent->walk, (enum step_kind)step->kind) : NULL;
    bool reached = row && str_eq(event->condition, wanted_condition(document, row->want));
    if (document->absent && str_eq(event->condition, "absent") && !document->confirmed) {
        document->confirmed = true;
        document->send = true; /* as a tombstone */
    }
    if (step && (step->state == STEP_OPEN || (step->state == STEP_PARKED && reached))) {
        bool late = step->state == STEP_PARKED;
        if (reached)
            step_settle(subject, decision, step, RESULT_IS_OK, &event->problem, event->facts);
        else if (str_eq(event->condition, "failing"))
            step_settle(subject, decision, step, event->result, &event->problem, event->facts);
        if (late)
            revive(subject, decision);
    }
    cleanup_json json_t *facts = event->facts ? json_loads(event->facts, 0, NULL) : NULL;
    tell_drift(subject, event, facts, decision);
    take_disk(subject, event, facts, decision);
    health_refresh(subject, decision, health_reason(subject, event));
    if (health_wants_repair(subject, event)) {
        struct refusal refusal;
        struct decide_event repair = {.kind = DECIDE_INTENT, .intent = INTENT_REPAIR};
        (void)accept_intent(subject, &repair, decision, &refusal);
    }
    walk_advance(subject, decision);
}

static const struct work *work_of(const struct subject *subject, const struct step *step) {
    for (size_t i = 0; i < subject->works.n; i++)
        if (str_eq(vec_at(&subject->works, struct work, i)->key, step->work_key))
            return vec_at(&subject->works, struct work, i);
    return NULL;
}

static void wake_step(struct subject *subject, struct decision *decision, struct step *step) {
    if (step_rows[step->kind].carrier == CARRIER_WORK) {
        const struct work *work = work_of(subject, step);
        if (!work || work->state == WORK_OPEN || work_is_stale(work, step->started_at, decision->now))
            return; /* its TIMER_WORK sees to it */
        struct problem problem = {work->cls, work->problem, work->lines};
        step_settle(subject, decision, step, work->state == WORK_DONE ? RESULT_IS_OK : RESULT_IS_PARK,
                    &problem, work->facts);
        return;
    }
    if (!step->next_at || step->next_at > decision->now)
        return;
    if (step->kind == STEP_WAIT) {
        step_settle(subject, decision, step, RESULT_IS_OK, NULL, NULL);
        return;
    }
    if (step->attempt >= step_rows[step->kind].attempts) {
        struct problem problem = {
            .cls = step->cls ? step->cls : "no_answer",
            .text = step->problem ? step->problem : "No node that could do this has answered.",
            .lines = step->lines,
        };
        step_settle(subject, decision, step, RESULT_IS_PARK, &problem, NULL);
        return;
    }
    step_open(subject, decision, step);
}

static void take_wake(struct subject *subject, struct decision *decision) {
    for (size_t i = 0; i < subject->steps.n; i++) {
        struct step *step = vec_at(&subject->steps, struct step, i);
        if (step->state == STEP_OPEN)
            wake_step(subject, decision, step);
    }
    walk_advance(subject, decision);
    health_refresh(subject, decision, NULL); /* a node fell silent, or is back */
}

static struct step *open_place(const struct subject *subject) {
    for (size_t i = 0; i < subject->steps.n; i++) {
        struct step *step = vec_at(&subject->steps, struct step, i);
        if (step->kind == STEP_PLACE && step->state == STEP_OPEN)
            return step;
    }
    return NULL;
}

static void take_placed(struct subject *subject, const struct decide_event *event,
                        struct decision *decision) {
    struct instance *instance = subject->instance;
    struct step *step = open_place(subject);
    if (!step)
        return;
    instance->node_id = event->host->id;
    instance->edge_id = event->edge->id;
    instance->prober_id = event->prober ? event->prober->id : (struct uuid){0};
    instance->port = event->port;
    instance->problem = NULL;
    subject->host = event->host;
    subject->edge = event->edge;
    subject->prober = event->prober;
    decision_event(subject, decision, EVENT_PLACED,
                   json_pack("{s:s, s:s, s:I}", "node", event->host->name, "edge", event->edge->name, "port",
                             (json_int_t)event->port));
    step_settle(subject, decision, step, RESULT_IS_OK, NULL, NULL);
    walk_advance(subject, decision);
}

static void take_no_room(struct subject *subject, const struct decide_event *event,
                         struct decision *decision) {
    struct step *step = open_place(subject);
    if (!step || str_eq(step->problem, event->reason))
        return;
    step->problem = event->reason;
    step->cls = "no_room";
    step->change = step->change == ROW_NEW ? ROW_NEW : ROW_CHANGED;
    subject->instance->problem = event->reason;
    decision_event(subject, decision, EVENT_WAITING_FOR_ROOM, json_pack("{s:s}", "reason", event->reason));
}

bool decide(struct subject *subject, const struct decide_event *event, struct decision *decision,
            struct refusal *refusal) {
    switch (event->kind) {
    case DECIDE_INTENT:
        return accept_intent(subject, event, decision, refusal);
    case DECIDE_ORDER:
        take_order(subject, event, decision);
        break;
    case DECIDE_DOCUMENT:
        take_document(subject, event, decision);
        break;
    case DECIDE_WAKE:
        take_wake(subject, decision);
        break;
    case DECIDE_PLACED:
        take_placed(subject, event, decision);
        break;
    case DECIDE_NO_ROOM:
        take_no_room(subject, event, decision);
        break;
    }
    return true;
}
