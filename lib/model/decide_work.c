#include "model/decide_work.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/retry.h"
#include "base/str.h"
#include "model/message.h"
#include "model/provenance.h"

#include <string.h>

#define FUTURE_US (60 * CLOCK_S) /* coordinators that settle and read at once are not so far apart */

static void mark(struct work *work) {
    row_touch(&work->change);
}

/* What is ordered of one name stays in order, whoever orders it. */
static const char *work_partition(const struct work *work) {
    return work->kind == STEP_NAME ? work->key + strlen(WORK_FORGET) : work->key;
}

static void order_work(struct work *work, struct decision *decision) {
    const struct step_row *row = &step_rows[work->kind];
    mark(work);
    if (uuid_is_nil(work->order_id) || work->attempt == 0)
        work->order_id = decision_id(decision);
    work->attempt++;
    work->next_at = decision->now + row->deadline_s * CLOCK_S;
    struct order_out *order = vec_add(decision->arena, &decision->orders, struct order_out);
    *order = (struct order_out){
        .kind = (enum step_kind)work->kind,
        .id = work->order_id,
        .partition_key = work_partition(work),
        .plane_mode = "shared",
        .order = message_work_order(work, decision),
        .not_after = work->next_at + 60 * CLOCK_S,
    };
    decision_timer(decision, TIMER_WORK, work->key, work->next_at);
}

/* An unreachable git host: the last good answer serves, where the release's policy says so. */
static bool take_last_good(struct work *work) {
    cleanup_json json_t *params = json_loads(work->params, 0, NULL);
    return work->kind == STEP_RESOLVE && work->facts && str_eq(work->cls, "git_unreachable") &&
           json_is_true(json_object_get(params, "last_good"));
}

static void settle(struct work *work, enum work_state state, struct decision *decision) {
    mark(work);
    work->state = (int)state;
    work->settled_at = decision->now;
    work->next_at = 0;
    /* Its timer stays: somebody may have begun to wait just now. It fires once and finds them, or nobody. */
}

/* Only what follows its source is asked again; what a release has pinned serves for ever. */
static bool follows(const struct work *work) {
    cleanup_json json_t *params = json_loads(work->params, 0, NULL);
    return work->kind == STEP_RESOLVE && json_is_true(json_object_get(params, "follow"));
}

/* Built by a builder of an earlier version: whoever asks again finds the image, and says which one it is. */
static bool lacks_provenance(const struct work *work) {
    cleanup_json json_t *facts = work->facts ? json_loads(work->facts, 0, NULL) : NULL;
    return work->kind == STEP_BUILD && facts && !json_str(facts, "provenance");
}

bool work_is_stale(const struct work *work, int64_t since, int64_t now) {
    bool before = since > work->settled_at || work->settled_at > now + FUTURE_US;
    return before && (work->state == WORK_FAILED || follows(work) || lacks_provenance(work));
}

bool decide_work_due(struct work *work, int64_t waiting_since, struct decision *decision) {
    if (work->state == WORK_OPEN && work->attempt == 0) {
        order_work(work, decision);
        return false;
    }
    if (work->state == WORK_OPEN) {
        if (work->next_at > decision->now) {
            decision_timer(decision, TIMER_WORK, work->key, work->next_at);
            return false;
        }
        if (work->attempt < step_rows[work->kind].attempts) {
            order_work(work, decision);
            return false;
        }
        if (!work->cls) {
            work->cls = "no_builder";
            work->problem = "No builder has answered.";
        }
        settle(work, take_last_good(work) ? WORK_DONE : WORK_FAILED, decision);
        return true;
    }
    if (!waiting_since)
        return false;
    if (!work_is_stale(work, waiting_since, decision->now))
        return true;
    work->state = WORK_OPEN;
    work->attempt = 0;
    work->opened_at = decision->now;
    work->cls = work->problem = work->lines = NULL;
    order_work(work, decision);
    return false;
}

/* What was built is said from what was ordered: of a builder's word only what came out counts. */
static const char *with_provenance(const struct work *work, const char *facts, struct uuid builder,
                                   struct decision *decision) {
    cleanup_json json_t *order = json_loads(work->params, 0, NULL),
                        *said = facts ? json_loads(facts, 0, NULL) : NULL;
    (void)json_object_del(said, "provenance"); /* that is not for a builder to say */
    const char *statement =
        work->kind == STEP_BUILD ? provenance_make(order, said, builder, decision->arena) : NULL;
    if (!said)
        return facts;
    if (statement)
        (void)json_object_set_new(said, "provenance", json_string(statement));
    cleanup_free char *text = json_text(said);
    return arena_strdup(decision->arena, text);
}

bool decide_work_report(struct work *work, int64_t attempt, enum result_class result,
                        const struct problem *problem, const char *facts, struct uuid node,
                        struct decision *decision) {
    if (work->state != WORK_OPEN || (result != RESULT_IS_OK && attempt != work->attempt))
        return false;
    work->lines = problem->lines;
    if (result == RESULT_IS_OK) {
        work->facts = with_provenance(work, facts, node, decision);
        work->cls = work->problem = NULL;
        settle(work, WORK_DONE, decision);
        return true;
    }
    mark(work);
    work->cls = problem->cls && *problem->cls ? problem->cls : "failed";
    work->problem = problem->text;
    const struct step_row *row = &step_rows[work->kind];
    if (result_outcome(result, work->attempt < row->attempts) == OUTCOME_AGAIN) {
        work->next_at = decision->now + retry_delay_us((int)work->attempt, row->backoff_s * CLOCK_S,
                                                       60 * CLOCK_S, decision->random);
        decision_timer(decision, TIMER_WORK, work->key, work->next_at);
        return false;
    }
    settle(work, take_last_good(work) ? WORK_DONE : WORK_FAILED, decision);
    return true;
}
