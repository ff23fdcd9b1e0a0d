/* Sets (protocol section 1): two of an instance can stand side by side, and nothing said or done of one is
 * taken for the other's. And documents without a walk: what they are made of may change by itself. */
#include "tests/support/instance.h"

#include <string.h>

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
