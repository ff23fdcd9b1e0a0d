/* Steps: what opening one sends, and what a result does to it. */
#include "base/clock.h"
#include "base/json.h"
#include "base/retry.h"
#include "base/str.h"
#include "model/decide.h"

#include <string.h>

#define ORDER_LIFE_US (600 * CLOCK_S) /* an order older than this is refused by its reader */

static void mark(struct step *step) {
    if (step->change == ROW_KEPT)
        step->change = ROW_CHANGED;
}

static void done_at_once(struct decision *decision, struct step *step) {
    step->state = STEP_DONE;
    step->ended_at = decision->now;
    step->next_at = 0;
}

static enum want want_of(const struct subject *subject, const struct step *step) {
    const struct intent *intent = subject_intent(subject, step->generation);
    return walk_step_find((enum walk)intent->walk, (enum step_kind)step->kind)->want;
}

static void send_order(struct subject *subject, struct decision *decision, struct step *step,
                       const char *key) {
    if (uuid_is_nil(step->order_id))
        step->order_id = decision_id(decision);
    struct order_out *order = vec_add(decision->arena, &decision->orders, struct order_out);
    *order = (struct order_out){
        .kind = (enum step_kind)step->kind,
        .id = step->order_id,
        .partition_key = key,
        .plane_mode = subject->plane ? subject->plane->mode : "shared",
        .order = message_order(subject, decision, step, want_of(subject, step)),
        .not_after = decision->now + ORDER_LIFE_US,
    };
}

static void open_name(struct subject *subject, struct decision *decision, struct step *step) {
    struct name *name = subject->name;
    if (!name || (want_of(subject, step) != WANT_ON && !name->held)) {
        done_at_once(decision, step); /* nothing was ever written */
        return;
    }
    /* A try of the same order has its serial: whichever succeeds, the marker is the one that an heir of the
     * name is told to replace. */
    if (uuid_is_nil(step->order_id))
        name->serial++;
    name->held = true;
    name->change = name->change == ROW_NEW ? ROW_NEW : ROW_CHANGED;
    send_order(subject, decision, step, name->host);
}

/* The whole wanted state again. A document that wants the same as before, and was confirmed, needs no new
 * revision: it is done; one that wants the same and was not confirmed is sent again. */
static void open_document(struct subject *subject, struct decision *decision, struct step *step) {
    int kind = (int)document_kind_of_step((enum step_kind)step->kind);
    enum want want = want_of(subject, step);
    struct instance *instance = subject->instance;
    struct document *document = subject_document(subject, kind);
    struct uuid node = kind == DOCUMENT_STACK   ? instance->node_id
                       : kind == DOCUMENT_ROUTE ? instance->edge_id
                                                : instance->prober_id;
    bool nothing = want == WANT_ABSENT || (kind == DOCUMENT_WATCH && want != WANT_ON);
    if (!document && (nothing || uuid_is_nil(node))) {
        done_at_once(decision, step);
        return;
    }
    if (!document) {
        document = vec_add(decision->arena, &subject->documents, struct document);
        *document = (struct document){
            .change = ROW_NEW,
            .tenant_id = instance->tenant_id,
            .node_id = node,
            .instance_id = instance->id,
            .kind = kind,
        };
    }
    struct bytes content = kind == DOCUMENT_STACK   ? message_stack(subject, decision, want)
                           : kind == DOCUMENT_ROUTE ? message_route(subject, decision, want)
                                                    : message_watch(subject, decision, want);
    bool absent = want == WANT_ABSENT;
    bool same = document->revision && document->epoch == decision->epoch && document->absent == absent &&
                document->content.n == content.n && memcmp(document->content.p, content.p, content.n) == 0;
    if (!same) {
        const struct intent *intent = subject_intent(subject, step->generation);
        document->revision++;
        document->epoch = decision->epoch;
        document->absent = absent;
        document->confirmed = false;
        document->purge = absent;
        document->content = content;
        document->generation = step->generation;
        document->trace = intent->trace;
        document->envelope = (struct bytes){0};
    } else if (document->observed == document->revision && document->condition && step->attempt == 1 &&
               str_eq(document->condition, absent                                      ? "absent"
                                           : kind == DOCUMENT_STACK && want != WANT_ON ? "stopped"
                                                                                       : "healthy")) {
        done_at_once(decision, step);
        return;
    }
    document->send = true;
    if (document->change == ROW_KEPT)
        document->change = ROW_CHANGED;
}

static bool has_work(const struct subject *subject, const char *key) {
    for (size_t i = 0; i < subject->works.n; i++)
        if (str_eq(vec_at(&subject->works, struct work, i)->key, key))
            return true;
    return false;
}

static void open_work(struct subject *subject, struct decision *decision, struct step *step) {
    step->work_key = message_work_key(subject, decision, step);
    if (!has_work(subject, step->work_key))
        *vec_add(decision->arena, &subject->works, struct work) = (struct work){
            .change = ROW_NEW, /* or somebody else's by now: the store leaves an existing row alone */
            .key = step->work_key,
            .kind = step->kind,
            .state = WORK_OPEN,
            .opened_at = decision->now,
            .params = message_work_params(subject, decision, step),
        };
    decision_timer(decision, TIMER_WORK, step->work_key, decision->now);
}

void step_open(struct subject *subject, struct decision *decision, struct step *step) {
    const struct step_row *row = &step_rows[step->kind];
    char hex[UUID_HEX_SIZE];
    mark(step);
    step->state = STEP_OPEN;
    step->attempt++;
    if (!step->started_at)
        step->started_at = decision->now;
    step->next_at = row->deadline_s ? decision->now + row->deadline_s * CLOCK_S : 0;
    switch ((enum step_kind)step->kind) {
    case STEP_PLACE:
        if (!uuid_is_nil(subject->instance->node_id))
            done_at_once(decision, step);
        else
            decision_timer(decision, TIMER_PLACE, uuid_hex(subject->instance->plane_id, hex), decision->now);
        break;
    case STEP_RESOLVE:
    case STEP_BUILD:
        step->next_at = 0; /* the work has its own */
        open_work(subject, decision, step);
        break;
    case STEP_STACK:
    case STEP_ROUTE:
        open_document(subject, decision, step);
        break;
    case STEP_WATCH:
        open_document(subject, decision, step);
        done_at_once(decision, step);
        break;
    case STEP_NAME:
        open_name(subject, decision, step);
        break;
    case STEP_WAIT:
        if (subject->name && subject->name->serial)
            step->next_at = decision->now + decision->settings->dns_ttl_s * CLOCK_S;
        else
            done_at_once(decision, step);
        break;
    case STEP_VERIFY:
    case STEP_NOOP:
        send_order(subject, decision, step, NULL);
        break;
    case STEP_COUNT:
        break;
    }
}

/* A JSON object with one more key. */
static const char *with_key(const char *object, const char *key, json_t *value, struct arena *arena) {
    cleanup_json json_t *all = object ? json_loads(object, 0, NULL) : json_object();
    (void)json_object_set(all, key, value);
    cleanup_free char *text = json_text(all);
    return arena_strdup(arena, text);
}

/* A built image is remembered with the instance: every later walk uses the recorded digest. */
static void record_image(struct subject *subject, struct decision *decision, const struct step *step) {
    struct instance *instance = subject->instance;
    cleanup_json json_t *facts = step->facts ? json_loads(step->facts, 0, NULL) : NULL;
    if (!json_str(facts, "image"))
        return;
    instance->images =
        with_key(instance->images, step->part, json_object_get(facts, "image"), decision->arena);
    if (json_str(facts, "commit"))
        instance->commits =
            with_key(instance->commits, step->part, json_object_get(facts, "commit"), decision->arena);
    if (instance->change == ROW_KEPT)
        instance->change = ROW_CHANGED;
}

void step_settle(struct subject *subject, struct decision *decision, struct step *step, enum result result,
                 const struct problem *problem, const char *facts) {
    const struct step_row *row = &step_rows[step->kind];
    enum step_outcome outcome = result_outcome(result, step->attempt < row->attempts);
    mark(step);
    if (outcome == OUTCOME_DONE) {
        step->state = STEP_DONE;
        step->ended_at = decision->now;
        step->next_at = 0;
        step->cls = step->problem = NULL;
        step->lines = problem ? problem->lines : NULL;
        step->facts = facts;
        if (step->kind == STEP_BUILD)
            record_image(subject, decision, step);
        if (step->kind != STEP_NOOP && step->kind != STEP_PLACE)
            decision_event(subject, decision, EVENT_STEP_DONE,
                           json_pack("{s:s, s:s}", "step", row->name, "part", step->part ? step->part : ""));
        return;
    }
    step->cls = problem && problem->cls ? problem->cls : "failed";
    step->problem = problem && problem->text ? problem->text : "The step failed without saying why.";
    step->lines = problem ? problem->lines : NULL;
    if (outcome == OUTCOME_PARK) {
        step->state = STEP_PARKED;
        step->ended_at = decision->now;
        step->next_at = 0;
        return;
    }
    if (row->carrier == CARRIER_DOCUMENT)
        return; /* the node goes on by itself; next_at is only for its silence */
    step->next_at = decision->now + retry_delay_us((int)step->attempt, row->backoff_s * CLOCK_S, 60 * CLOCK_S,
                                                   decision->random ^ uuid_spread(step->order_id));
}
