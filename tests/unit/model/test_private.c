/* A private plane (acceptance 5, 40): the same walk, and what differs. Nobody of ours can fetch the app, so
 * the first report of its own watch proves it; nothing secret is delivered; names are still ours to write. */
#include "tests/support/instance.h"

static void take(struct fixture *f, const struct decide_event *event) {
    assert_true(decide(&f->subject, event, &f->decision, &f->refusal));
}

/* Up to where its watch is asked for. */
static void serve(struct fixture *f) {
    f->plane.mode = "private";
    ask(f, INTENT_CREATE);
    take(f, &(struct decide_event){
                .kind = DECIDE_PLACED, .host = &f->one, .edge = &f->one, .prober = &f->one, .port = 20001});
    done(f, "resolve");
    done(f, "build");
    done(f, "name");
    say(f, DOCUMENT_STACK, SET_FIRST, "healthy");
    say(f, DOCUMENT_ROUTE, SET_FIRST, "healthy");
}

static size_t expectations(const struct fixture *f) {
    const struct document *document = subject_document(&f->subject, DOCUMENT_WATCH, SET_FIRST);
    Fairlead__V1__Watch *watch = fairlead__v1__watch__unpack(NULL, document->content.n, document->content.p);
    size_t n = watch->probe->n_expect;
    fairlead__v1__watch__free_unpacked(watch, NULL);
    return n;
}

static void the_agent_proves_the_app(void **state) {
    struct fixture *f = *state;
    serve(f);
    const struct step *verify = step_of(f, "verify");
    assert_int_equal(verify->state, STEP_OPEN);
    assert_true(uuid_is_nil(verify->order_id)); /* no order: those are for nodes of the provider */
    assert_int_equal(expectations(f), 2);       /* all that the release expects, once */
    say(f, DOCUMENT_WATCH, SET_FIRST, "failing");
    assert_int_equal(f->instance.state, STATE_NEW);
    assert_string_equal(step_of(f, "verify")->problem, "It failed.");
    say(f, DOCUMENT_WATCH, SET_FIRST, "healthy");
    assert_int_equal(f->instance.state, STATE_RUNNING);
    assert_int_equal(expectations(f), 1); /* from now on what proves it: its pages are its owner's */
}

/* After a stop the same watch looks again: what it saw before is no proof. */
static void a_start_is_proved_anew(void **state) {
    struct fixture *f = *state;
    serve(f);
    say(f, DOCUMENT_WATCH, SET_FIRST, "healthy");
    ask(f, INTENT_STOP);
    say(f, DOCUMENT_ROUTE, SET_FIRST, "healthy");
    say(f, DOCUMENT_STACK, SET_FIRST, "stopped");
    assert_int_equal(f->instance.state, STATE_STOPPED);
    ask(f, INTENT_START);
    done(f, "name");
    say(f, DOCUMENT_STACK, SET_FIRST, "healthy");
    say(f, DOCUMENT_ROUTE, SET_FIRST, "healthy");
    assert_int_equal(f->instance.state, STATE_STOPPED);
    say(f, DOCUMENT_WATCH, SET_FIRST, "healthy");
    assert_int_equal(f->instance.state, STATE_RUNNING);
}

/* A watch that is never heard of parks in the end, like an order. */
static void silence_parks(void **state) {
    struct fixture *f = *state;
    serve(f);
    for (int i = 0; i < 20 && f->instance.state == STATE_NEW; i++) {
        f->decision.now += 600 * CLOCK_S;
        take(f, &(struct decide_event){.kind = DECIDE_WAKE});
    }
    assert_int_equal(f->instance.state, STATE_FAILED);
}

/* A plane that is told by files: all of it goes out together, and nobody's silence ends anything. */
static void what_is_carried_goes_out_together(void **state) {
    struct fixture *f = *state;
    f->plane.mode = "private";
    f->plane.link = "file";
    ask(f, INTENT_CREATE);
    take(f, &(struct decide_event){
                .kind = DECIDE_PLACED, .host = &f->one, .edge = &f->one, .prober = &f->one, .port = 20001});
    done(f, "resolve");
    done(f, "name");
    assert_null(subject_document(&f->subject, DOCUMENT_STACK, SET_FIRST)); /* it is not built yet */
    done(f, "build");
    assert_non_null(subject_document(&f->subject, DOCUMENT_STACK, SET_FIRST));
    assert_non_null(subject_document(&f->subject, DOCUMENT_ROUTE, SET_FIRST));
    assert_int_equal(expectations(f), 2); /* the whole proof: it is not told yet what to keep watching */
    f->decision.now += 400 * CLOCK_DAY;
    take(f, &(struct decide_event){.kind = DECIDE_WAKE});
    assert_int_equal(f->instance.state, STATE_NEW);
    assert_int_equal(step_of(f, "stack")->attempt, 1);
    /* In whichever order its words are read. */
    say(f, DOCUMENT_WATCH, SET_FIRST, "healthy");
    say(f, DOCUMENT_ROUTE, SET_FIRST, "healthy");
    assert_int_equal(f->instance.state, STATE_NEW);
    say(f, DOCUMENT_STACK, SET_FIRST, "healthy");
    assert_int_equal(f->instance.state, STATE_RUNNING);
    assert_int_equal(expectations(f), 1);
    ask(f, INTENT_DELETE);
    done(f, "name");
    f->decision.now += 61 * CLOCK_S;
    take(f, &(struct decide_event){.kind = DECIDE_WAKE});
    assert_true(subject_document(&f->subject, DOCUMENT_STACK, SET_FIRST)->absent);
    assert_true(subject_document(&f->subject, DOCUMENT_ROUTE, SET_FIRST)->absent);
}

/* A machine that never comes back: its app is forgotten, and what would have it gone waits there for ever. */
static void a_lost_machine_is_told_all_the_same(void **state) {
    struct fixture *f = *state;
    serve(f);
    say(f, DOCUMENT_WATCH, SET_FIRST, "healthy");
    ask(f, INTENT_DELETE);
    done(f, "name");
    f->decision.now += 61 * CLOCK_S;
    take(f, &(struct decide_event){.kind = DECIDE_WAKE});
    for (int i = 0; i < 40 && !f->instance.problem; i++) {
        f->decision.now += 600 * CLOCK_S;
        take(f, &(struct decide_event){.kind = DECIDE_WAKE});
    }
    assert_int_equal(f->instance.state, STATE_DELETING);
    assert_string_equal(
        f->instance.problem,
        "The node \"one\" has not answered. If it is lost, whoever operates can forget the app there.");
    ask(f, INTENT_FORGET);
    done(f, "name");
    f->decision.now += 61 * CLOCK_S;
    take(f, &(struct decide_event){.kind = DECIDE_WAKE});
    assert_int_equal(f->instance.state, STATE_DELETED);
    struct document *stack = subject_document(&f->subject, DOCUMENT_STACK, SET_FIRST);
    assert_true(stack->absent && stack->purge && !stack->confirmed);
    assert_true(subject_document(&f->subject, DOCUMENT_WATCH, SET_FIRST)->absent);
    assert_true(subject_document(&f->subject, DOCUMENT_ROUTE, SET_FIRST)->absent);
    say(f, DOCUMENT_STACK, SET_FIRST, "absent"); /* and then it is back */
    assert_true(stack->confirmed);
    assert_int_equal(f->instance.state, STATE_DELETED);
}

static void nothing_secret_is_delivered(void **state) {
    struct fixture *f = *state;
    for (int private = 1; private >= 0; private --) {
        f->plane.mode = private ? "private" : "dedicated";
        struct wanted wanted = document_want(&f->subject, &f->decision, DOCUMENT_STACK, SET_FIRST, WANT_ON);
        Fairlead__V1__Stack *stack = fairlead__v1__stack__unpack(NULL, wanted.content.n, wanted.content.p);
        assert_int_equal(stack->n_deliver, private ? 0 : 1);
        fairlead__v1__stack__free_unpacked(stack, NULL);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_agent_proves_the_app),
        TEST(a_start_is_proved_anew),
        TEST(silence_parks),
        TEST(what_is_carried_goes_out_together),
        TEST(a_lost_machine_is_told_all_the_same),
        TEST(nothing_secret_is_delivered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
