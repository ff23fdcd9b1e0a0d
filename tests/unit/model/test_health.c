/* Health is apart from the state: who said what, whose silence counts, and what is mended (P9, design section
 * 4). */
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "model/decide.h"
#include "tests/support/check.h"

#include <string.h>

struct fixture {
    struct arena arena;
    struct node host, edge, prober;
    struct instance instance;
    struct intent intent;
    struct document documents[DOCUMENT_KIND_COUNT];
    struct name name;
    struct set set;
    struct plane plane;
    struct release *release;
    struct subject subject;
    struct settings settings;
    struct decision decision;
    struct refusal refusal;
};

static int set_up(void **state) {
    struct fixture *f = mem_alloc(sizeof *f);
    struct err err = {0};
    cleanup_json json_t *spec = json_loads(
        "{\"title\":\"App\",\"summary\":\"An "
        "app.\",\"version\":\"1\",\"images\":{\"web\":{\"repository\":\"app\","
        "\"ref\":\"main\",\"path\":\"web\"}},\"services\":{\"web\":{\"image\":\"web\",\"memory_share\":100,"
        "\"cpu_share\":100}},\"health\":{\"service\":\"web\",\"port\":8080,\"expect\":[{\"path\":\"/\","
        "\"identity\":true}]}}",
        0, NULL);
    f->release = release_parse((struct uuid){{1}}, "app", NULL, spec, "", &err);
    f->host = (struct node){.id = {{1}}, .name = "host", .address = "10.0.0.1", .health = "ok"};
    f->edge = (struct node){.id = {{2}}, .name = "edge", .address = "10.0.0.2", .health = "ok"};
    f->prober = (struct node){.id = {{3}}, .name = "eye", .address = "10.0.0.3", .health = "ok"};
    f->plane = (struct plane){.mode = "shared", .scheme = "http", .public_port = 80};
    f->instance = (struct instance){.id = {{5}},
                                    .name = "one",
                                    .host = "one.example.org",
                                    .state = STATE_RUNNING,
                                    .health = "ok",
                                    .accepted = 1,
                                    .running = 1,
                                    .node_id = f->host.id,
                                    .serving = "a",
                                    .edge_id = f->edge.id,
                                    .prober_id = f->prober.id};
    f->intent =
        (struct intent){.generation = 1, .kind = INTENT_CREATE, .walk = WALK_CREATE, .state = INTENT_DONE};
    f->name = (struct name){.host = "one.example.org", .serial = 3, .held = true};
    f->settings = (struct settings){.base = "b", .dns_ttl_s = 60, .name_hold_s = 60};
    f->subject = (struct subject){.instance = &f->instance,
                                  .release = f->release,
                                  .plane = &f->plane,
                                  .name = &f->name,
                                  .edge = &f->edge,
                                  .prober = &f->prober};
    f->decision = (struct decision){
        .arena = &f->arena, .settings = &f->settings, .now = CLOCK_DAY, .epoch = 1, .seed = {{7}}};
    *vec_add(&f->arena, &f->subject.intents, struct intent) = f->intent;
    f->set = (struct set){
        .letter = "a", .node_id = f->host.id, .port = 20000, .state = SET_PLACED, .host = &f->host};
    *vec_add(&f->arena, &f->subject.sets, struct set) = f->set;
    const struct uuid nodes[DOCUMENT_KIND_COUNT] = {f->host.id, f->edge.id, f->prober.id};
    for (int kind = 0; kind < DOCUMENT_KIND_COUNT; kind++)
        *vec_add(&f->arena, &f->subject.documents, struct document) =
            (struct document){.kind = kind,
                              .letter = "a",
                              .want = WANT_ON,
                              .node_id = nodes[kind],
                              .epoch = 1,
                              .revision = 1,
                              .observed = 1,
                              .condition = "healthy"};
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

static void say(struct fixture *f, int kind, const char *condition, const char *cls, const char *facts) {
    static int64_t n;
    struct decide_event event = {
        .kind = DECIDE_DOCUMENT,
        .document = {.kind = kind,
                     .letter = "a",
                     .node_id = vec_at(&f->subject.documents, struct document, kind)->node_id,
                     .epoch = 1,
                     .revision = 1,
                     .condition = condition,
                     .result = str_eq(condition, "failing") ? RESULT_IS_RETRY : RESULT_IS_OK,
                     .problem = {cls, cls ? "It does not answer." : NULL, NULL},
                     .facts = facts,
                     .n = ++n}};
    (void)decide(&f->subject, &event, &f->decision, &f->refusal);
}

static void wake(struct fixture *f) {
    struct decide_event event = {.kind = DECIDE_WAKE};
    (void)decide(&f->subject, &event, &f->decision, &f->refusal);
}

static void say_of(struct fixture *f, uint8_t stream, int64_t n, const char *condition) {
    struct decide_event event = {.kind = DECIDE_DOCUMENT,
                                 .document = {.kind = DOCUMENT_WATCH,
                                              .letter = "a",
                                              .node_id = f->prober.id,
                                              .epoch = 1,
                                              .revision = 1,
                                              .condition = condition,
                                              .stream = {{stream}},
                                              .n = n}};
    (void)decide(&f->subject, &event, &f->decision, &f->refusal);
}

/* A slow link is nobody's fault: what comes nearer uses up no try, and says how far it is. */
static void an_image_that_is_on_its_way_is_no_failed_try(void **state) {
    struct fixture *f = *state;
    f->instance.state = STATE_NEW;
    vec_at(&f->subject.intents, struct intent, 0)->state = INTENT_RUNNING;
    *vec_add(&f->arena, &f->subject.steps, struct step) = (struct step){.kind = STEP_STACK,
                                                                        .state = STEP_OPEN,
                                                                        .act = "stack",
                                                                        .letter = "a",
                                                                        .part = "",
                                                                        .generation = 1,
                                                                        .attempt = 19,
                                                                        .next_at = 2 * CLOCK_DAY};
    const struct step *step = vec_at(&f->subject.steps, struct step, 0);
    say(f, DOCUMENT_STACK, "failing", "unhealthy", NULL);
    assert_int_equal(step->attempt, 19);
    say(f, DOCUMENT_STACK, "failing", PROBLEM_FETCHING, NULL);
    assert_int_equal(step->attempt, 1);
    assert_int_equal(step->state, STEP_OPEN);
    assert_string_equal(step->cls, PROBLEM_FETCHING);
    assert_string_equal(step->problem, "It does not answer.");
}

/* The event tells of the change; the row says what keeps it so now. */
static void the_reason_follows_though_the_health_stays(void **state) {
    struct fixture *f = *state;
    f->host.health = f->prober.health = "unknown";
    wake(f);
    assert_string_equal(f->instance.health, "unknown");
    assert_non_null(strstr(f->instance.health_reason, "\"host\""));
    size_t events = f->decision.events.n;
    f->host.health = "ok";
    wake(f);
    assert_string_equal(f->instance.health, "unknown");
    assert_non_null(strstr(f->instance.health_reason, "\"eye\""));
    assert_int_equal(f->decision.events.n, events);
    f->prober.health = "ok";
    wake(f);
    assert_string_equal(f->instance.health, "ok");
    assert_null(f->instance.health_reason);
}

/* P14: whoever keeps records of Kafka cannot say them again. */
static void an_earlier_stream_is_never_believed(void **state) {
    struct fixture *f = *state;
    say_of(f, 3, 7, "healthy");
    say_of(f, 5, 1, "failing"); /* the prober began anew */
    say_of(f, 3, 8, "healthy"); /* a reader that was stopped for a while brings it */
    assert_string_equal(f->instance.health, "failing");
    say_of(f, 2, 100, "healthy"); /* the one before that, and one that was never heard of */
    say_of(f, 4, 100, "healthy");
    assert_string_equal(f->instance.health, "failing");
    say_of(f, 5, 2, "healthy");
    assert_string_equal(f->instance.health, "ok");
}

static const struct event_row *last_event(const struct fixture *f) {
    assert_true(f->decision.events.n > 0);
    return vec_at(&f->decision.events, struct event_row, f->decision.events.n - 1);
}

static void what_a_watch_sees_is_the_health(void **state) {
    struct fixture *f = *state;
    say(f, DOCUMENT_WATCH, "failing", "wrong_answer", NULL);
    assert_string_equal(f->instance.health, "failing");
    assert_int_equal(f->instance.state, STATE_RUNNING);
    assert_string_equal(last_event(f)->type, "health_changed");
    assert_non_null(strstr(last_event(f)->data, "It does not answer."));
    say(f, DOCUMENT_WATCH, "healthy", NULL, NULL);
    assert_string_equal(f->instance.health, "ok");
}

static void what_is_mended_while_it_answers_is_degraded(void **state) {
    struct fixture *f = *state;
    say(f, DOCUMENT_STACK, "failing", "unhealthy", NULL);
    assert_string_equal(f->instance.health, "degraded");
    say(f, DOCUMENT_WATCH, "failing", "no_answer", NULL);
    assert_string_equal(f->instance.health, "failing");
    say(f, DOCUMENT_STACK, "healthy", NULL, NULL);
    assert_string_equal(f->instance.health, "failing"); /* until it was fetched */
}

static void a_disk_that_fills_is_told_before_it_is_full(void **state) {
    struct fixture *f = *state;
    f->instance.disk_mb = 1000;
    say(f, DOCUMENT_STACK, "healthy", NULL, "{\"disk_used_mb\":\"799\"}");
    assert_int_equal(f->decision.events.n, 0);
    say(f, DOCUMENT_STACK, "healthy", NULL, "{\"disk_used_mb\":\"850\"}");
    assert_string_equal(last_event(f)->type, "disk_filling");
    say(f, DOCUMENT_STACK, "healthy", NULL, "{\"disk_used_mb\":\"1000\"}");
    assert_int_equal(f->decision.events.n, 1); /* once */
    assert_string_equal(f->instance.health, "ok");
    say(f, DOCUMENT_STACK, "healthy", NULL, "{\"disk_used_mb\":\"1500\"}");
    assert_string_equal(f->instance.health, "degraded");
    assert_non_null(strstr(f->instance.health_reason, "1500 MB, more than the 1000 MB"));
    say(f, DOCUMENT_STACK, "healthy", NULL, NULL); /* says nothing of the disk: it is as it was */
    assert_string_equal(f->instance.health, "degraded");
    say(f, DOCUMENT_STACK, "healthy", NULL, "{\"disk_used_mb\":\"200\"}");
    assert_string_equal(f->instance.health, "ok");
    assert_int_equal(f->instance.disk_used_mb, 200);
}

static void silence_of_any_of_them_is_unknown(void **state) {
    struct fixture *f = *state;
    struct node *const nodes[] = {&f->host, &f->edge, &f->prober};
    for (int i = 0; i < 3; i++) {
        nodes[i]->health = "unknown";
        wake(f);
        assert_string_equal(f->instance.health, "unknown");
        assert_non_null(strstr(last_event(f)->data, nodes[i]->name));
        nodes[i]->health = "ok";
        wake(f);
        assert_string_equal(f->instance.health, "ok");
    }
    assert_int_equal(f->decision.events.n, 6);
}

static void nothing_is_told_twice(void **state) {
    struct fixture *f = *state;
    say(f, DOCUMENT_WATCH, "failing", "wrong_answer", NULL);
    say(f, DOCUMENT_WATCH, "failing", "wrong_answer", NULL);
    wake(f);
    assert_int_equal(f->decision.events.n, 1);
}

static void a_cut_link_is_told_apart_from_a_dead_app(void **state) {
    struct fixture *f = *state;
    say(f, DOCUMENT_WATCH, "failing", "no_connection", NULL);
    assert_non_null(strstr(last_event(f)->data, "link between them is cut"));
    say(f, DOCUMENT_WATCH, "healthy", NULL, NULL);
    say(f, DOCUMENT_STACK, "failing", "container_exited", NULL);
    say(f, DOCUMENT_WATCH, "failing", "no_connection", NULL);
    assert_null(strstr(last_event(f)->data, "link between them is cut"));
}

static void a_name_that_went_astray_is_written_again(void **state) {
    struct fixture *f = *state;
    say(f, DOCUMENT_WATCH, "failing", "wrong_address", NULL);
    assert_int_equal(f->instance.running, 2);
    assert_int_equal(f->decision.orders.n, 1);
    assert_int_equal(vec_at(&f->decision.orders, struct order_out, 0)->kind, STEP_NAME);
    assert_int_equal(f->name.serial, 4);
    say(f, DOCUMENT_WATCH, "failing", "wrong_address", NULL); /* once is enough while it is under way */
    assert_int_equal(f->decision.orders.n, 1);
}

static void only_a_name_is_ours_to_mend(void **state) {
    struct fixture *f = *state;
    say(f, DOCUMENT_WATCH, "failing", "unreachable", NULL);
    assert_int_equal(f->decision.orders.n, 0);
    f->instance.state = STATE_STOPPED;
    say(f, DOCUMENT_WATCH, "failing", "wrong_address", NULL);
    assert_int_equal(f->decision.orders.n, 0);
}

static void drift_is_told_as_an_event(void **state) {
    struct fixture *f = *state;
    say(f, DOCUMENT_STACK, "healthy", NULL, "{\"drift\":\"The container of \\\"web\\\" does not run.\"}");
    assert_string_equal(last_event(f)->type, "drift_repaired");
    assert_non_null(strstr(last_event(f)->data, "does not run"));
}

static void what_an_older_revision_says_is_not_the_health(void **state) {
    struct fixture *f = *state;
    vec_at(&f->subject.documents, struct document, DOCUMENT_WATCH)->revision = 2;
    say(f, DOCUMENT_WATCH, "failing", "wrong_answer", NULL);
    assert_string_equal(f->instance.health, "ok");
    assert_int_equal(f->decision.events.n, 0);
}

static void a_walk_that_runs_is_not_judged(void **state) {
    struct fixture *f = *state;
    vec_at(&f->subject.intents, struct intent, 0)->state = INTENT_RUNNING;
    *vec_add(&f->arena, &f->subject.steps, struct step) = (struct step){
        .generation = 1, .kind = STEP_VERIFY, .act = "verify", .letter = "a", .state = STEP_OPEN, .part = ""};
    say(f, DOCUMENT_WATCH, "failing", "wrong_address", NULL);
    assert_string_equal(f->instance.health, "ok");
    assert_int_equal(f->decision.orders.n, 0);
}

static void what_an_older_revision_says_ends_no_step(void **state) {
    struct fixture *f = *state;
    vec_at(&f->subject.intents, struct intent, 0)->state = INTENT_RUNNING;
    *vec_add(&f->arena, &f->subject.steps, struct step) = (struct step){.generation = 1,
                                                                        .kind = STEP_STACK,
                                                                        .act = "stack",
                                                                        .letter = "a",
                                                                        .state = STEP_OPEN,
                                                                        .part = "",
                                                                        .attempt = 1};
    vec_at(&f->subject.documents, struct document, DOCUMENT_STACK)->revision = 2;
    say(f, DOCUMENT_STACK, "healthy", NULL, NULL);
    assert_int_equal(vec_at(&f->subject.steps, struct step, 0)->state, STEP_OPEN);
    vec_at(&f->subject.documents, struct document, DOCUMENT_STACK)->revision = 1;
    say(f, DOCUMENT_STACK, "healthy", NULL, NULL);
    assert_int_equal(vec_at(&f->subject.steps, struct step, 0)->state, STEP_DONE);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_image_that_is_on_its_way_is_no_failed_try),
        TEST(the_reason_follows_though_the_health_stays),
        TEST(an_earlier_stream_is_never_believed),
        TEST(what_a_watch_sees_is_the_health),
        TEST(what_is_mended_while_it_answers_is_degraded),
        TEST(a_disk_that_fills_is_told_before_it_is_full),
        TEST(silence_of_any_of_them_is_unknown),
        TEST(nothing_is_told_twice),
        TEST(a_cut_link_is_told_apart_from_a_dead_app),
        TEST(a_name_that_went_astray_is_written_again),
        TEST(only_a_name_is_ours_to_mend),
        TEST(drift_is_told_as_an_event),
        TEST(what_an_older_revision_says_is_not_the_health),
        TEST(what_an_older_revision_says_ends_no_step),
        TEST(a_walk_that_runs_is_not_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
