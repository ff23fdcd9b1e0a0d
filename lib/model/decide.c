#include "model/decide.h"

#include "base/json.h"
#include "base/str.h"
#include "model/decide_work.h"
#include "model/health.h"
#include "model/message.h"
#include "model/step.h"
#include "model/walk.h"

#include <stdlib.h>
#include <string.h>

/* The state that everything accepted so far leads to: what a new request is judged by. */
static enum state projected_state(const struct subject *subject) {
    enum state state = (enum state)subject->instance->state;
    for (size_t i = 0; i < subject->intents.n; i++) {
        const struct intent *intent = vec_at(&subject->intents, struct intent, i);
        if (intent->state != INTENT_RUNNING && intent->state != INTENT_QUEUED)
            continue;
        if (intent->kind == INTENT_DELETE || intent->kind == INTENT_FORGET)
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
        row_touch(&intent->change);
    }
    for (size_t i = 0; i < subject->steps.n; i++) {
        struct step *step = vec_at(&subject->steps, struct step, i);
        if (step->state != STEP_WAITING && step->state != STEP_OPEN)
            continue;
        step->state = STEP_DROPPED;
        step->next_at = 0;
        row_touch(&step->change);
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
    row_touch(&instance->change);
    if (event->intent == INTENT_DELETE || event->intent == INTENT_FORGET)
        preempt(subject, decision);
    decision_event(subject, decision, intent_rows[event->intent].event,
                   json_pack("{s:I}", "generation", (json_int_t)intent->generation));
    walk_advance(subject, decision);
    return true;
}

/* What had parked has succeeded after all: the walk goes on where it stood, and nobody has to ask. But for an
 * end that is not due any more. */
static void revive(struct subject *subject, struct decision *decision) {
    struct intent *intent = subject_running(subject);
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
        row_touch(&step->change);
    }
    intent->state = INTENT_RUNNING;
    intent->ended_at = 0;
    row_touch(&intent->change);
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

bool decide_is_late(const struct document *document, const struct document_report *report) {
    int order = memcmp(report->stream.b, document->stream.b, sizeof report->stream.b);
    return order < 0 || (order == 0 && report->n <= document->report_n);
}

/* What a node put right by itself, as facts of its report: {"drift": what it found}. */
static void tell_drift(struct subject *subject, const struct document_report *report, const json_t *facts,
                       struct decision *decision) {
    const char *drift = json_str(facts, "drift");
    if (drift)
        decision_event(
            subject, decision, EVENT_DRIFT_REPAIRED,
            json_pack("{s:s, s:s}", "document", document_rows[report->kind].name, "reason", drift));
}

#define DISK_MAX_MB                                                                                          \
    (INT64_C(1) << 40) /* more is no disk: a node's word must not overflow what is computed of it */

/* How much of its disk it takes, as its host measures: told once when it passes four fifths, and again when
 * it had been below. */
static void take_disk(struct subject *subject, const struct document_report *report, const json_t *facts,
                      struct decision *decision) {
    struct instance *instance = subject->instance;
    int64_t mb, full = instance->disk_mb * 4 / 5;
    if (report->kind != DOCUMENT_STACK || !str_eq(report->letter, instance->serving) ||
        !str_to_int(json_str(facts, "disk_used_mb"), 0, DISK_MAX_MB, &mb) || mb == instance->disk_used_mb)
        return;
    if (full && mb >= full && instance->disk_used_mb < full)
        decision_event(
            subject, decision, EVENT_DISK_FILLING,
            json_pack("{s:I, s:I}", "used_mb", (json_int_t)mb, "size_mb", (json_int_t)instance->disk_mb));
    instance->disk_used_mb = mb;
    row_touch(&instance->change);
}

static struct step *step_of_document(const struct subject *subject, const struct document *document) {
    for (size_t i = 0; i < subject->steps.n; i++) {
        struct step *step = vec_at(&subject->steps, struct step, i);
        if ((int)subject_carrier(subject, step) == document->kind && str_eq(step->letter, document->letter) &&
            step->state != STEP_WAITING)
            return step;
    }
    return NULL;
}

/* What the report says of the present revision, for the step that waits for it. */
static void settle_document(struct subject *subject, const struct document_report *report,
                            const struct document *document, struct decision *decision) {
    struct step *step = step_of_document(subject, document);
    bool reached =
        step && str_eq(report->condition, document_condition(document->kind, subject_want(subject, step)));
    bool late = step && step->state == STEP_PARKED;
    if (!step || (step->state != STEP_OPEN && !(late && reached)))
        return;
    if (reached)
        step_settle(subject, decision, step, RESULT_IS_OK, &report->problem, report->facts);
    else if (str_eq(report->condition, "failing") && str_eq(report->problem.cls, PROBLEM_FETCHING))
        step_progress(step, &report->problem);
    else if (str_eq(report->condition, "failing"))
        step_settle(subject, decision, step, report->result, &report->problem, report->facts);
    if (late)
        revive(subject, decision);
}

static void take_document(struct subject *subject, const struct document_report *report,
                          struct decision *decision) {
    struct document *document = subject_document(subject, report->kind, report->letter);
    if (!document || !uuid_eq(document->node_id, report->node_id) || decide_is_late(document, report))
        return;
    document->stream = report->stream;
    document->report_n = report->n;
    document->condition = report->condition;
    document->observed = report->revision;
    row_touch(&document->change);
    if (report->epoch != document->epoch || report->revision != document->revision)
        return; /* about an older revision: remembered, but it proves nothing */
    if (document->absent && str_eq(report->condition, "absent") && !document->confirmed) {
        document->confirmed = true;
        document->send = true; /* as a tombstone */
    }
    settle_document(subject, report, document, decision);
    cleanup_json json_t *facts = report->facts ? json_loads(report->facts, 0, NULL) : NULL;
    tell_drift(subject, report, facts, decision);
    take_disk(subject, report, facts, decision);
    health_refresh(subject, decision, health_reason(subject, report));
    if (health_wants_repair(subject, report)) {
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

static const struct node *node_of(const struct subject *subject, struct uuid id) {
    const struct set *serving = subject_serving(subject);
    const struct node *const nodes[] = {serving ? serving->host : NULL, subject->edge, subject->prober};
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        if (nodes[i] && uuid_eq(nodes[i]->id, id))
            return nodes[i];
    return NULL;
}

/* Whose word was waited for, and what to do where it will never come. */
static const char *silence_of(const struct subject *subject, const struct step *step,
                              const struct decision *decision) {
    const struct document *document =
        subject_document(subject, (int)subject_carrier(subject, step), step->letter);
    const struct node *node = document ? node_of(subject, document->node_id) : NULL;
    if (!node)
        return "No node that could do this has answered.";
    return arena_printf(decision->arena, "The node \"%s\" has not answered.%s", node->name,
                        subject->instance->state == STATE_DELETING
                            ? " If it is lost, whoever operates can forget the app there."
                            : "");
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
            .text = step->problem ? step->problem : silence_of(subject, step, decision),
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
    struct set *set = step ? subject_set(subject, step->letter) : NULL;
    if (!set)
        return;
    set->node_id = event->host->id;
    set->host = event->host;
    set->port = event->port;
    set->state = SET_PLACED;
    subject_set_changed(subject, set);
    instance->edge_id = event->edge->id;
    instance->prober_id = event->prober ? event->prober->id : (struct uuid){0};
    instance->problem = NULL;
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
    row_touch(&step->change);
    subject->instance->problem = event->reason;
    decision_event(subject, decision, EVENT_WAITING_FOR_ROOM, json_pack("{s:s}", "reason", event->reason));
}

/* By kinds: what a watch looks for is made of the stack. */
static void take_refresh(struct subject *subject, struct decision *decision) {
    for (int kind = 0; kind < DOCUMENT_KIND_COUNT; kind++)
        for (size_t i = 0; i < subject->documents.n; i++)
            if (vec_at(&subject->documents, struct document, i)->kind == kind)
                document_refresh(subject, decision, vec_at(&subject->documents, struct document, i));
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
        take_document(subject, &event->document, decision);
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
    case DECIDE_REFRESH:
        take_refresh(subject, decision);
        break;
    }
    return true;
}
