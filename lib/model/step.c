#include "model/step.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/retry.h"
#include "base/str.h"
#include "model/message.h"

#include <string.h>

#define ORDER_LIFE_US (600 * CLOCK_S) /* an order older than this is refused by its reader */

static void done_at_once(struct decision *decision, struct step *step) {
    step->state = STEP_DONE;
    step->ended_at = decision->now;
    step->next_at = 0;
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
        .order = message_order(subject, decision, step, subject_want(subject, step)),
        .not_after = decision->now + ORDER_LIFE_US,
    };
}

static void open_name(struct subject *subject, struct decision *decision, struct step *step) {
    struct name *name = subject->name;
    if (!name || (subject_want(subject, step) != WANT_ON && !name->held)) {
        done_at_once(decision, step); /* nothing was ever written */
        return;
    }
    /* A try of the same order has its serial: whichever succeeds, the marker is the one that an heir of the
     * name is told to replace. */
    if (uuid_is_nil(step->order_id))
        name->serial++;
    name->held = true;
    row_touch(&name->change);
    send_order(subject, decision, step, name->host);
}

static bool holds(const struct document *document, const struct wanted *wanted, int64_t epoch) {
    return document->revision && document->epoch == epoch && document->absent == wanted->absent &&
           document->content.n == wanted->content.n &&
           memcmp(document->content.p, wanted->content.p, wanted->content.n) == 0;
}

/* A new revision, which nobody has confirmed. */
static void revise(struct document *document, const struct wanted *wanted, const struct intent *intent,
                   const struct decision *decision) {
    document->revision++;
    document->epoch = decision->epoch;
    document->absent = document->purge = wanted->absent;
    document->confirmed = false;
    document->content = wanted->content;
    document->generation = intent->generation;
    document->trace = intent->trace;
    document->envelope = (struct bytes){0};
}

static struct document *add_document(struct subject *subject, struct decision *decision, int kind,
                                     const char *letter, struct uuid node_id) {
    struct document *document = vec_add(decision->arena, &subject->documents, struct document);
    *document = (struct document){
        .change = ROW_NEW,
        .tenant_id = subject->instance->tenant_id,
        .node_id = node_id,
        .instance_id = subject->instance->id,
        .kind = kind,
        .letter = letter,
    };
    return document;
}

/* The whole wanted state again. A document that wants the same as before, and was confirmed, needs no new
 * revision: it is done; one that wants the same and was not confirmed is sent again. */
static void open_document(struct subject *subject, struct decision *decision, struct step *step) {
    int kind = (int)subject_carrier(subject, step);
    enum want want = subject_want(subject, step);
    struct document *document = subject_document(subject, kind, step->letter);
    struct wanted wanted = document_want(subject, decision, kind, step->letter, want);
    bool nothing = wanted.absent || (kind == DOCUMENT_WATCH && want != WANT_ON);
    if (!document && (nothing || uuid_is_nil(wanted.node_id))) {
        done_at_once(decision, step);
        return;
    }
    if (!document)
        document = add_document(subject, decision, kind, step->letter, wanted.node_id);
    if (!holds(document, &wanted, decision->epoch)) {
        revise(document, &wanted, subject_intent(subject, step->generation), decision);
    } else if (document->observed == document->revision && step->attempt == 1 &&
               str_eq(document->condition, document_condition(kind, want))) {
        done_at_once(decision, step);
        return;
    }
    document->want = (int)want;
    document->send = true;
    row_touch(&document->change);
    if (subject_act(subject, step)->walk == WALK_FORGET)
        done_at_once(decision, step); /* it stays there until its node has read it, in a year perhaps */
}

void document_refresh(struct subject *subject, struct decision *decision, struct document *document) {
    const struct intent *intent = subject_running(subject);
    if (document->absent || document->want == WANT_NOTHING || !intent)
        return;
    struct wanted wanted =
        document_want(subject, decision, document->kind, document->letter, (enum want)document->want);
    if (holds(document, &wanted, decision->epoch))
        return;
    revise(document, &wanted, intent, decision);
    document->send = true;
    row_touch(&document->change);
}

void document_put(struct subject *subject, struct decision *decision, int kind, const char *letter,
                  struct uuid node_id, struct bytes content) {
    const struct wanted wanted = {.node_id = node_id, .content = content};
    struct document *document = subject_document(subject, kind, letter);
    if (document && holds(document, &wanted, decision->epoch))
        return;
    if (!document)
        document = add_document(subject, decision, kind, letter, node_id);
    revise(document, &wanted, subject_running(subject), decision);
    document->want = WANT_ON;
    document->send = true;
    row_touch(&document->change);
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

static bool is_placed(const struct set *set) {
    return set && set->state == SET_PLACED;
}

void step_open(struct subject *subject, struct decision *decision, struct step *step) {
    const struct step_row *row = &step_rows[step->kind];
    char hex[UUID_HEX_SIZE];
    row_touch(&step->change);
    step->state = STEP_OPEN;
    step->attempt++;
    if (!step->started_at)
        step->started_at = decision->now;
    /* Whoever carries files takes days, and no silence of theirs means anything. */
    bool is_carried = subject_is_by_file(subject) && subject_carrier(subject, step) != DOCUMENT_KIND_COUNT;
    step->next_at = row->deadline_s && !is_carried ? decision->now + row->deadline_s * CLOCK_S : 0;
    switch ((enum step_kind)step->kind) {
    case STEP_PLACE:
        if (is_placed(subject_set(subject, step->letter)))
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
    case STEP_TASK:
    case STEP_CERTIFICATE:
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
        if (subject_carrier(subject, step) == DOCUMENT_KIND_COUNT)
            send_order(subject, decision, step, NULL);
        else
            open_document(subject, decision, step);
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

/* A built image is remembered with the set: every later walk uses the recorded digest. */
static void record_image(struct subject *subject, struct decision *decision, const struct step *step) {
    struct set *set = subject_set(subject, step->letter);
    cleanup_json json_t *facts = step->facts ? json_loads(step->facts, 0, NULL) : NULL;
    if (!set || !json_str(facts, "image"))
        return;
    set->images = with_key(set->images, step->part, json_object_get(facts, "image"), decision->arena);
    if (json_str(facts, "commit"))
        set->commits = with_key(set->commits, step->part, json_object_get(facts, "commit"), decision->arena);
    if (json_str(facts, "provenance"))
        set->provenance =
            with_key(set->provenance, step->part, json_object_get(facts, "provenance"), decision->arena);
    subject_set_changed(subject, set);
}

void step_progress(struct step *step, const struct problem *problem) {
    row_touch(&step->change);
    step->attempt = 1;
    step->cls = problem->cls;
    step->problem = problem->text;
}

void step_settle(struct subject *subject, struct decision *decision, struct step *step,
                 enum result_class result, const struct problem *problem, const char *facts) {
    const struct step_row *row = &step_rows[step->kind];
    enum step_outcome outcome = result_outcome(result, step->attempt < row->attempts);
    row_touch(&step->change);
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
    if (subject_carrier(subject, step) != DOCUMENT_KIND_COUNT)
        return; /* the node goes on by itself; next_at is only for its silence */
    step->next_at = decision->now + retry_delay_us((int)step->attempt, row->backoff_s * CLOCK_S, 60 * CLOCK_S,
                                                   decision->random ^ uuid_spread(step->order_id));
}
