/* Sets (protocol section 1): two of an instance can stand side by side, and nothing said or done of one is
 * taken for the other's. And documents without a walk: what they are made of may change by itself. */
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "model/decide.h"
#include "model/message.h"
#include "proto/fairlead.pb-c.h"
#include "tests/support/check.h"

#include <string.h>

struct fixture {
    struct arena arena;
    struct node one, two, edge;
    struct instance instance;
    struct name name;
    struct plane plane;
    struct release *release;
    struct subject subject;
    struct settings settings;
    struct decision decision;
    struct refusal refusal;
    int64_t said;
};

static const char spec_text[] =
    "{\"title\":\"App\",\"summary\":\"An "
    "app.\",\"version\":\"1\",\"images\":{\"web\":{\"repository\":\"app\","
    "\"ref\":\"main\",\"path\":\"web\"}},\"services\":{\"web\":{\"image\":\"web\",\"memory_share\":100,"
    "\"cpu_share\":100}},\"health\":{\"service\":\"web\",\"port\":8080,\"expect\":[{\"path\":\"/\","
    "\"identity\":true}]}}";

static int set_up(void **state) {
    struct fixture *f = mem_alloc(sizeof *f);
    struct err err = {0};
    cleanup_json json_t *spec = json_loads(spec_text, 0, NULL);
    f->release = release_parse((struct uuid){{1}}, "app", NULL, spec, "", &err);
    f->one = (struct node){.id = {{1}}, .name = "one", .address = "10.0.0.1", .health = "ok"};
    f->two = (struct node){.id = {{2}}, .name = "two", .address = "10.0.0.2", .health = "ok"};
    f->edge = (struct node){.id = {{3}}, .name = "edge", .address = "10.0.0.3", .health = "ok"};
    f->plane = (struct plane){.mode = "shared", .scheme = "http", .public_port = 80};
    f->instance = (struct instance){.change = ROW_NEW,
                                    .id = {{5}},
                                    .name = "app",
                                    .host = "app.example.org",
                                    .serving = SET_FIRST,
                                    .state = STATE_NEW};
    f->name = (struct name){.host = "app.example.org"};
    f->settings = (struct settings){.base = "b", .dns_ttl_s = 60, .name_hold_s = 60};
    f->subject = (struct subject){
        .instance = &f->instance, .release = f->release, .plane = &f->plane, .name = &f->name};
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

static void ask(struct fixture *f, enum intent_kind kind) {
    struct decide_event event = {.kind = DECIDE_INTENT, .intent = kind};
    assert_true(decide(&f->subject, &event, &f->decision, &f->refusal));
}

static void place_it(struct fixture *f) {
    struct decide_event event = {.kind = DECIDE_PLACED, .host = &f->one, .edge = &f->edge, .port = 20001};
    assert_true(decide(&f->subject, &event, &f->decision, &f->refusal));
}

static struct step *step_of(struct fixture *f, const char *act) {
    for (size_t i = 0; i < f->subject.steps.n; i++)
        if (str_eq(vec_at(&f->subject.steps, struct step, i)->act, act))
            return vec_at(&f->subject.steps, struct step, i);
    fail_msg("no act \"%s\"", act);
    return NULL;
}

/* An order or a work is done: orders by a report, works by what the row says. */
static void done(struct fixture *f, const char *act) {
    struct step *step = step_of(f, act);
    if (step_rows[step->kind].carrier == CARRIER_WORK) {
        struct decide_event wake = {.kind = DECIDE_WAKE};
        for (size_t i = 0; i < f->subject.works.n; i++) {
            struct work *work = vec_at(&f->subject.works, struct work, i);
            work->state = WORK_DONE;
            work->settled_at = f->decision.now;
            work->facts = "{\"image\":\"fairlead/app-web@sha256:11\",\"commit\":\"c0ffee\",\"key\":\"k\"}";
        }
        (void)decide(&f->subject, &wake, &f->decision, &f->refusal);
        return;
    }
    struct decide_event event = {
        .kind = DECIDE_ORDER, .order_id = step->order_id, .attempt = step->attempt, .result = RESULT_IS_OK};
    (void)decide(&f->subject, &event, &f->decision, &f->refusal);
}

static void say(struct fixture *f, int kind, const char *letter, const char *condition) {
    const struct document *document = subject_document(&f->subject, kind, letter);
    struct decide_event event = {
        .kind = DECIDE_DOCUMENT,
        .document = {.kind = kind,
                     .letter = letter,
                     .node_id = document->node_id,
                     .epoch = 1,
                     .revision = document->revision,
                     .condition = condition,
                     .result = str_eq(condition, "failing") ? RESULT_IS_RETRY : RESULT_IS_OK,
                     .problem = {"code", "It failed.", NULL},
                     .n = ++f->said}};
    (void)decide(&f->subject, &event, &f->decision, &f->refusal);
}

/* From a request to running, as nodes report. */
static void run(struct fixture *f) {
    ask(f, INTENT_CREATE);
    place_it(f);
    done(f, "resolve");
    done(f, "build");
    done(f, "name");
    say(f, DOCUMENT_STACK, "a", "healthy");
    say(f, DOCUMENT_ROUTE, "a", "healthy");
    done(f, "verify");
    assert_int_equal(f->instance.state, STATE_RUNNING);
}

/* As a walk of two sets will make it. */
static struct set *second_set(struct fixture *f) {
    struct set *set = vec_add(&f->arena, &f->subject.sets, struct set);
    *set = (struct set){.change = ROW_NEW,
                        .instance_id = f->instance.id,
                        .letter = "b",
                        .node_id = f->two.id,
                        .host = &f->two,
                        .port = 20002,
                        .images = "{\"web\":\"fairlead/app-web@sha256:22\"}",
                        .copies = "{\"data\":\"2\"}",
                        .state = SET_PLACED};
    return set;
}

static Fairlead__V1__Stack *stack_of(struct fixture *f, const char *letter) {
    struct wanted wanted = document_want(&f->subject, &f->decision, DOCUMENT_STACK, letter, WANT_ON);
    return fairlead__v1__stack__unpack(NULL, wanted.content.n, wanted.content.p);
}

static void check_upstream(struct fixture *f, const char *upstream) {
    struct wanted wanted = document_want(&f->subject, &f->decision, DOCUMENT_ROUTE, SET_FIRST, WANT_ON);
    Fairlead__V1__Route *route = fairlead__v1__route__unpack(NULL, wanted.content.n, wanted.content.p);
    assert_string_equal(route->upstream, upstream);
    fairlead__v1__route__free_unpacked(route, NULL);
}

static void the_first_set_is_planned_then_placed_then_gone(void **state) {
    struct fixture *f = *state;
    ask(f, INTENT_CREATE);
    struct set *set = subject_serving(&f->subject);
    assert_non_null(set);
    assert_int_equal(set->state, SET_PLANNED);
    place_it(f);
    assert_int_equal(set->state, SET_PLACED);
    assert_int_equal(set->port, 20001);
    /* What is told of the instance is what its set has. */
    assert_true(uuid_eq(f->instance.node_id, f->one.id));
    assert_int_equal(f->instance.port, 20001);
    done(f, "resolve");
    done(f, "build");
    assert_string_equal(f->instance.images, set->images);
    assert_non_null(strstr(set->commits, "c0ffee"));
    ask(f, INTENT_DELETE);
    for (int i = 0; i < 10 && f->instance.state != STATE_DELETED; i++) {
        struct decide_event wake = {.kind = DECIDE_WAKE};
        f->decision.now += 100 * CLOCK_S;
        if (subject_document(&f->subject, DOCUMENT_STACK, "a"))
            say(f, DOCUMENT_STACK, "a", "absent");
        done(f, "name");
        (void)decide(&f->subject, &wake, &f->decision, &f->refusal);
    }
    assert_int_equal(f->instance.state, STATE_DELETED);
    assert_int_equal(set->state, SET_GONE);
}

static void each_set_has_a_stack_of_its_own(void **state) {
    struct fixture *f = *state;
    run(f);
    (void)second_set(f);
    Fairlead__V1__Stack *a = stack_of(f, "a"), *b = stack_of(f, "b");
    assert_string_equal(a->address, "10.0.0.1");
    assert_int_equal(a->n_copies, 0);
    assert_string_equal(b->address, "10.0.0.2");
    assert_int_equal(b->port, 20002);
    assert_string_equal(b->images[0]->value, "fairlead/app-web@sha256:22");
    assert_string_equal(b->copies[0]->value, "2");
    assert_string_not_equal(a->identity, b->identity); /* one cannot prove the other */
    fairlead__v1__stack__free_unpacked(a, NULL);
    fairlead__v1__stack__free_unpacked(b, NULL);
}

static void names_lead_to_the_set_that_serves(void **state) {
    struct fixture *f = *state;
    run(f);
    struct set *b = second_set(f);
    check_upstream(f, "10.0.0.1:20001");
    f->instance.serving = "b";
    check_upstream(f, "10.0.0.2:20002");
    subject_set_changed(&f->subject, b);
    assert_int_equal(f->instance.port, 20002);
    assert_string_equal(f->instance.images, b->images);
}

static void what_is_said_of_one_set_is_not_the_others(void **state) {
    struct fixture *f = *state;
    ask(f, INTENT_CREATE);
    place_it(f);
    done(f, "resolve");
    done(f, "build");
    (void)second_set(f);
    struct document *b = vec_add(&f->arena, &f->subject.documents, struct document);
    *b = (struct document){
        .node_id = f->two.id, .kind = DOCUMENT_STACK, .letter = "b", .epoch = 1, .revision = 1};
    say(f, DOCUMENT_STACK, "b", "healthy");
    assert_int_equal(step_of(f, "stack")->state, STEP_OPEN);
    say(f, DOCUMENT_STACK, "a", "healthy");
    assert_int_equal(step_of(f, "stack")->state, STEP_DONE);
    done(f, "name");
    say(f, DOCUMENT_ROUTE, "a", "healthy");
    done(f, "verify");
    assert_string_equal(f->instance.health, "ok");
    say(f, DOCUMENT_STACK, "b", "failing"); /* it serves nobody */
    assert_string_equal(f->instance.health, "ok");
    say(f, DOCUMENT_STACK, "a", "failing");
    assert_string_not_equal(f->instance.health, "ok");
}

/* Protocol section 1: a revision rises with every change of content, an intent or none. */
static void a_host_that_moved_is_told_without_a_walk(void **state) {
    struct fixture *f = *state;
    run(f);
    const struct document *stack = subject_document(&f->subject, DOCUMENT_STACK, "a"),
                          *route = subject_document(&f->subject, DOCUMENT_ROUTE, "a");
    int64_t accepted = f->instance.accepted, before = stack->revision, shown = route->revision;
    struct decide_event refresh = {.kind = DECIDE_REFRESH};
    (void)decide(&f->subject, &refresh, &f->decision, &f->refusal);
    assert_int_equal(stack->revision, before); /* nothing has changed: nothing is sent */
    f->one.address = "10.0.9.9";
    (void)decide(&f->subject, &refresh, &f->decision, &f->refusal);
    assert_int_equal(stack->revision, before + 1);
    assert_int_equal(route->revision, shown + 1);
    assert_true(stack->send && route->send);
    assert_false(stack->confirmed);
    assert_int_equal(f->instance.accepted, accepted);
    check_upstream(f, "10.0.9.9:20001");
    assert_int_equal(f->instance.state, STATE_RUNNING);
}

static void what_is_absent_is_not_brought_back(void **state) {
    struct fixture *f = *state;
    run(f);
    struct document *stack = subject_document(&f->subject, DOCUMENT_STACK, "a");
    struct decide_event refresh = {.kind = DECIDE_REFRESH};
    stack->absent = true;
    stack->send = false;
    int64_t before = stack->revision;
    f->one.address = "10.0.9.9";
    (void)decide(&f->subject, &refresh, &f->decision, &f->refusal);
    assert_int_equal(stack->revision, before);
    assert_false(stack->send);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_first_set_is_planned_then_placed_then_gone),
        TEST(each_set_has_a_stack_of_its_own),
        TEST(names_lead_to_the_set_that_serves),
        TEST(what_is_said_of_one_set_is_not_the_others),
        TEST(a_host_that_moved_is_told_without_a_walk),
        TEST(what_is_absent_is_not_brought_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
