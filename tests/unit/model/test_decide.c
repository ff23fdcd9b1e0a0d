/* Decisions from fixtures, no database: which report counts, what waits, what a delete does (protocol 6,
 * design 3). */
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "model/decide.h"
#include "model/decide_work.h"
#include "proto/fairlead.pb-c.h"
#include "tests/support/check.h"

#include <string.h>

struct fixture {
    struct arena arena;
    struct release *release;
    struct plane plane;
    struct instance instance;
    struct subject subject;
    struct decision decision;
    struct settings settings;
    struct refusal refusal;
};

static int set_up(void **state) {
    struct fixture *f = mem_alloc(sizeof *f);
    struct err err = {0};
    cleanup_json json_t *spec =
        json_pack("{s:s, s:s, s:s, s:b}", "title", "Noop", "summary", "Nothing.", "version", "1", "noop", 1);
    f->release = release_parse((struct uuid){{1}}, "noop", NULL, spec, "", &err);
    f->plane = (struct plane){.mode = "shared"};
    f->settings = (struct settings){.base = "b", .dns_ttl_s = 60, .name_hold_s = 60};
    f->instance =
        (struct instance){.change = ROW_NEW, .id = {{5}}, .name = "one", .serving = "a", .state = STATE_NEW};
    f->subject = (struct subject){.instance = &f->instance, .release = f->release, .plane = &f->plane};
    f->decision = (struct decision){
        .arena = &f->arena, .settings = &f->settings, .now = CLOCK_DAY, .epoch = 1, .seed = {{7}}};
    *state = f;
    return f->release ? 0 : -1;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    release_free(f->release);
    arena_release(&f->arena);
    mem_free_p(&f);
    return 0;
}

static bool ask(struct fixture *f, enum intent_kind kind) {
    struct decide_event event = {.kind = DECIDE_INTENT, .intent = kind};
    return decide(&f->subject, &event, &f->decision, &f->refusal);
}

static struct step *only_step(struct fixture *f) {
    assert_int_equal(f->subject.steps.n, 1);
    return vec_at(&f->subject.steps, struct step, 0);
}

static void report(struct fixture *f, int64_t attempt, enum result_class result) {
    struct decide_event event = {.kind = DECIDE_ORDER,
                                 .order_id = only_step(f)->order_id,
                                 .attempt = attempt,
                                 .result = result,
                                 .problem = {"code", "It failed.", "line"}};
    (void)decide(&f->subject, &event, &f->decision, &f->refusal);
}

static const struct event_row *last_event(const struct fixture *f) {
    assert_true(f->decision.events.n > 0);
    return vec_at(&f->decision.events, struct event_row, f->decision.events.n - 1);
}

static void wake_late(struct fixture *f) {
    struct decide_event event = {.kind = DECIDE_WAKE};
    f->decision.now += 100 * CLOCK_S;
    (void)decide(&f->subject, &event, &f->decision, &f->refusal);
}

static void a_create_sends_its_order_at_once(void **state) {
    struct fixture *f = *state;
    assert_true(ask(f, INTENT_CREATE));
    assert_int_equal(f->decision.orders.n, 1);
    assert_int_equal(only_step(f)->state, STEP_OPEN);
    report(f, 1, RESULT_IS_OK);
    assert_int_equal(f->instance.state, STATE_RUNNING);
    assert_int_equal(f->instance.event_seq, f->decision.events.n);
}

static void success_of_an_earlier_attempt_counts(void **state) {
    struct fixture *f = *state;
    assert_true(ask(f, INTENT_CREATE));
    wake_late(f);
    assert_int_equal(only_step(f)->attempt, 2);
    report(f, 1, RESULT_IS_OK);
    assert_int_equal(f->instance.state, STATE_RUNNING);
}

static void failure_of_an_earlier_attempt_does_not(void **state) {
    struct fixture *f = *state;
    assert_true(ask(f, INTENT_CREATE));
    wake_late(f);
    report(f, 1, RESULT_IS_PARK);
    assert_int_equal(only_step(f)->state, STEP_OPEN);
    report(f, 2, RESULT_IS_PARK);
    assert_int_equal(f->instance.state, STATE_FAILED);
    assert_string_equal(f->instance.problem, "It failed.");
}

static void a_late_failure_does_not_spoil_a_good_state(void **state) {
    struct fixture *f = *state;
    assert_true(ask(f, INTENT_CREATE));
    report(f, 1, RESULT_IS_OK);
    report(f, 1, RESULT_IS_PARK);
    assert_int_equal(f->instance.state, STATE_RUNNING);
}

static void a_report_that_comes_twice_does_nothing_twice(void **state) {
    struct fixture *f = *state;
    assert_true(ask(f, INTENT_CREATE));
    report(f, 1, RESULT_IS_OK);
    size_t events = f->decision.events.n;
    report(f, 1, RESULT_IS_OK);
    assert_int_equal(f->decision.events.n, events);
}

static void silence_uses_up_the_budget_and_parks(void **state) {
    struct fixture *f = *state;
    assert_true(ask(f, INTENT_CREATE));
    for (int i = 0; i < step_rows[STEP_NOOP].attempts; i++)
        wake_late(f);
    assert_int_equal(f->instance.state, STATE_FAILED);
    assert_string_equal(only_step(f)->cls, "no_answer");
    assert_true(ask(f, INTENT_RETRY));
    assert_int_equal(f->instance.state, STATE_NEW); /* what runs again is not failed */
    assert_null(f->instance.problem);
    assert_int_equal(only_step(f)->attempt, 1);
    report(f, 1, RESULT_IS_OK);
    assert_int_equal(f->instance.state, STATE_RUNNING);
}

static void a_success_after_the_budget_ends_the_walk(void **state) {
    struct fixture *f = *state;
    assert_true(ask(f, INTENT_CREATE));
    for (int i = 0; i < step_rows[STEP_NOOP].attempts; i++)
        wake_late(f);
    assert_int_equal(f->instance.state, STATE_FAILED);
    report(f, 1, RESULT_IS_OK); /* the broker was away for so long (P7) */
    assert_int_equal(f->instance.state, STATE_RUNNING);
    assert_null(f->instance.problem);
    assert_int_equal(vec_at(&f->subject.intents, struct intent, 0)->state, INTENT_DONE);
}

static void a_delete_leaves_history_as_it_was(void **state) {
    struct fixture *f = *state;
    assert_true(ask(f, INTENT_CREATE));
    report(f, 1, RESULT_IS_PARK);
    int64_t ended = vec_at(&f->subject.intents, struct intent, 0)->ended_at;
    f->decision.now += CLOCK_DAY;
    assert_true(ask(f, INTENT_DELETE));
    const struct intent *create = vec_at(&f->subject.intents, struct intent, 0);
    assert_int_equal(create->state, INTENT_FAILED);
    assert_int_equal(create->ended_at, ended);
}

/* Before, "extended" was told when it was asked for, though it waited, or moved nothing. */
static void an_end_is_told_to_be_extended_when_it_is(void **state) {
    struct fixture *f = *state;
    assert_true(ask(f, INTENT_CREATE));
    report(f, 1, RESULT_IS_OK);
    f->instance.expires_at = 0;
    assert_true(ask(f, INTENT_EXTEND));
    assert_string_equal(last_event(f)->type, "extend_requested");
    f->instance.expires_at = f->decision.now + CLOCK_DAY;
    assert_true(ask(f, INTENT_EXTEND));
    assert_string_equal(last_event(f)->type, "extended");
    assert_non_null(strstr(last_event(f)->data, "\"until\""));
    assert_int_equal(f->instance.expires_at, f->decision.now + 31 * CLOCK_DAY);
}

static void an_end_may_come_sooner_or_never(void **state) {
    struct fixture *f = *state;
    struct decide_event event = {.kind = DECIDE_INTENT, .intent = INTENT_EXTEND};
    char sooner[28];
    assert_true(ask(f, INTENT_CREATE));
    report(f, 1, RESULT_IS_OK);
    f->decision.now = INT64_C(20000) * CLOCK_DAY;
    f->instance.expires_at = f->decision.now + 30 * CLOCK_DAY;
    clock_text(f->decision.now + 2 * CLOCK_DAY, sooner);
    event.params = arena_printf(f->decision.arena, "{\"until\":\"%.10s\"}", sooner);
    assert_true(decide(&f->subject, &event, &f->decision, &f->refusal));
    assert_int_equal(f->instance.expires_at, f->decision.now + 2 * CLOCK_DAY);
    event.params = "{\"until\":\"never\"}";
    assert_true(decide(&f->subject, &event, &f->decision, &f->refusal));
    assert_int_equal(f->instance.expires_at, 0);
    assert_int_equal(vec_at(&f->decision.timers, struct timer, f->decision.timers.n - 1)->due_at, 0);
    assert_non_null(strstr(last_event(f)->data, "\"until\":null"));
    event.intent = INTENT_EXPIRE; /* a timer that comes late ends nothing */
    assert_true(decide(&f->subject, &event, &f->decision, &f->refusal));
    assert_int_equal(f->instance.state, STATE_RUNNING);
}

static void a_retry_brings_the_end_with_it(void **state) {
    struct fixture *f = *state;
    assert_true(ask(f, INTENT_CREATE));
    report(f, 1, RESULT_IS_PARK);
    f->instance.expires_at = f->decision.now - CLOCK_S; /* its timer came, and found nothing to end */
    f->decision.timers = (struct vec){0};
    assert_true(ask(f, INTENT_RETRY));
    assert_int_equal(f->decision.timers.n, 1);
    assert_int_equal(vec_at(&f->decision.timers, struct timer, 0)->kind, TIMER_EXPIRE);
}

/* The simulator found it: the end came while the app had failed and nothing of it was there, and was dropped;
 * then a late success made it run, for ever. */
static void a_late_success_brings_the_end_with_it(void **state) {
    struct fixture *f = *state;
    assert_true(ask(f, INTENT_CREATE));
    report(f, 1, RESULT_IS_PARK);
    f->instance.expires_at = f->decision.now - CLOCK_S;
    f->decision.timers = (struct vec){0};
    report(f, 1, RESULT_IS_OK);
    assert_int_equal(f->instance.state, STATE_RUNNING);
    assert_int_equal(f->decision.timers.n, 1);
    assert_int_equal(vec_at(&f->decision.timers, struct timer, 0)->kind, TIMER_EXPIRE);
}

static void an_end_that_failed_is_not_tried_again_once_it_is_extended(void **state) {
    struct fixture *f = *state;
    assert_true(ask(f, INTENT_CREATE));
    report(f, 1, RESULT_IS_PARK);
    vec_at(&f->subject.intents, struct intent, 0)->walk = WALK_EXPIRE;
    f->instance.expires_at = f->decision.now + CLOCK_DAY;
    assert_true(ask(f, INTENT_RETRY));
    assert_int_equal(vec_at(&f->subject.intents, struct intent, 1)->walk, WALK_START);
    assert_int_equal(f->instance.state, STATE_RUNNING);
}

static void an_end_that_was_put_off_is_not_revived(void **state) {
    struct fixture *f = *state;
    assert_true(ask(f, INTENT_CREATE));
    report(f, 1, RESULT_IS_PARK);
    vec_at(&f->subject.intents, struct intent, 0)->walk = WALK_EXPIRE;
    f->instance.expires_at = f->decision.now + CLOCK_DAY;
    report(f, 1, RESULT_IS_OK);
    assert_int_equal(f->instance.state, STATE_FAILED);
}

static void requests_wait_for_each_other(void **state) {
    struct fixture *f = *state;
    assert_true(ask(f, INTENT_CREATE));
    assert_true(ask(f, INTENT_STOP)); /* judged by what the create leads to */
    assert_false(ask(f, INTENT_STOP));
    assert_int_equal(f->refusal.status, 409);
    assert_int_equal(f->instance.running, 1);
    assert_int_equal(f->instance.accepted, 2);
    report(f, 1, RESULT_IS_OK);
    assert_int_equal(f->instance.running, 2);
    assert_int_equal(f->instance.state, STATE_STOPPED);
}

static void what_was_done_in_a_walk_that_ends_is_still_written(void **state) {
    struct fixture *f = *state;
    assert_true(ask(f, INTENT_CREATE));
    assert_true(ask(f, INTENT_STOP));
    report(f, 1, RESULT_IS_OK);
    assert_int_equal(f->subject.past.n, 1);
    assert_int_equal(vec_at(&f->subject.past, struct step, 0)->state, STEP_DONE);
}

static void a_delete_goes_before_what_waits_or_is_parked(void **state) {
    struct fixture *f = *state;
    assert_true(ask(f, INTENT_CREATE));
    assert_true(ask(f, INTENT_STOP));
    assert_true(ask(f, INTENT_DELETE));
    assert_int_equal(f->instance.state, STATE_DELETED);
    assert_int_equal(vec_at(&f->subject.intents, struct intent, 0)->state, INTENT_DROPPED);
    assert_int_equal(vec_at(&f->subject.intents, struct intent, 1)->state, INTENT_DROPPED);
    assert_false(ask(f, INTENT_START));
}

/* Acceptance 30: a machine that is lost holds up a delete until whoever operates forgets it; what it is told
 * stays told. */
static void what_is_lost_may_be_forgotten(void **state) {
    struct fixture *f = *state;
    assert_true(ask(f, INTENT_CREATE));
    assert_false(ask(f, INTENT_FORGET)); /* only of what is being deleted */
    f->instance.state = STATE_DELETING;
    vec_at(&f->subject.intents, struct intent, 0)->kind = INTENT_DELETE;
    vec_at(&f->subject.intents, struct intent, 0)->walk = WALK_DELETE;
    assert_false(ask(f, INTENT_DELETE));
    assert_true(ask(f, INTENT_FORGET));
    assert_int_equal(vec_at(&f->subject.intents, struct intent, 0)->state, INTENT_DROPPED);
    assert_int_equal(f->instance.state, STATE_DELETED);
}

static void what_was_resolved_in_the_future_is_asked_again(void **state) {
    struct fixture *f = *state;
    struct work work = {.key = "resolve:x",
                        .kind = STEP_RESOLVE,
                        .state = WORK_DONE,
                        .attempt = 1,
                        .params = "{\"follow\":true}",
                        .settled_at = f->decision.now + 1200 * CLOCK_S}; /* the clock went back since */
    assert_false(decide_work_due(&work, f->decision.now, &f->decision));
    assert_int_equal(work.state, WORK_OPEN);
    assert_int_equal(f->decision.orders.n, 1);
}

/* The owner's marker, or the one that it was to replace; and nothing that an older worker would write. */
static void what_is_to_be_forgotten_is_named(void **state) {
    struct fixture *f = *state;
    struct work work = {.key = WORK_FORGET "a.example.org",
                        .kind = STEP_NAME,
                        .state = WORK_OPEN,
                        .params =
                            "{\"host\":\"a.example.org\",\"owner\":\"000102030405060708090a0b0c0d0e0f\","
                            "\"replaces\":\"fairlead owner=ff epoch=1 serial=2\"}"};
    assert_false(decide_work_due(&work, 0, &f->decision));
    const struct order_out *out = vec_at(&f->decision.orders, struct order_out, 0);
    assert_string_equal(out->partition_key, "a.example.org"); /* in turn with all that is ordered of it */
    Fairlead__V1__Order *order = fairlead__v1__order__unpack(NULL, out->order.n, out->order.p);
    assert_non_null(order);
    assert_int_equal(order->act_case, FAIRLEAD__V1__ORDER__ACT_DNS);
    assert_true(order->dns->forget && order->dns->absent);
    assert_string_equal(order->dns->host, "a.example.org");
    assert_string_equal(order->dns->replaces, "fairlead owner=ff epoch=1 serial=2");
    assert_int_equal(order->dns->owner.len, 16);
    assert_int_equal(order->dns->owner.data[15], 15);
    fairlead__v1__order__free_unpacked(order, NULL);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_create_sends_its_order_at_once),
        TEST(success_of_an_earlier_attempt_counts),
        TEST(failure_of_an_earlier_attempt_does_not),
        TEST(a_late_failure_does_not_spoil_a_good_state),
        TEST(a_report_that_comes_twice_does_nothing_twice),
        TEST(silence_uses_up_the_budget_and_parks),
        TEST(a_success_after_the_budget_ends_the_walk),
        TEST(a_retry_brings_the_end_with_it),
        TEST(a_late_success_brings_the_end_with_it),
        TEST(a_delete_leaves_history_as_it_was),
        TEST(an_end_is_told_to_be_extended_when_it_is),
        TEST(an_end_may_come_sooner_or_never),
        TEST(an_end_that_failed_is_not_tried_again_once_it_is_extended),
        TEST(an_end_that_was_put_off_is_not_revived),
        TEST(requests_wait_for_each_other),
        TEST(what_was_done_in_a_walk_that_ends_is_still_written),
        TEST(a_delete_goes_before_what_waits_or_is_parked),
        TEST(what_is_lost_may_be_forgotten),
        TEST(what_was_resolved_in_the_future_is_asked_again),
        TEST(what_is_to_be_forgotten_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
