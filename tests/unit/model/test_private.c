/* A private plane (acceptance 5, 40): the same walk, and what differs. Nobody of ours can fetch the app, so
 * the first report of its own watch proves it; nothing secret is delivered; names are still ours to write. */
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "model/decide.h"
#include "model/message.h"
#include "proto/fairlead.pb-c.h"
#include "tests/support/check.h"

struct fixture {
    struct arena arena;
    struct node cellar;
    struct instance instance;
    struct name name;
    struct plane plane;
    struct release *release;
    struct subject subject;
    struct settings settings;
    struct decision decision;
    int64_t said;
};

static const char spec_text[] =
    "{\"title\":\"App\",\"summary\":\"An "
    "app.\",\"version\":\"1\",\"images\":{\"web\":{\"repository\":\"app\",\"ref\":\"main\",\"path\":\"web\"}}"
    ",\"services\":{\"web\":{"
    "\"image\":\"web\",\"memory_share\":100,\"cpu_share\":100}},\"secrets\":{\"admin\":{\"deliver\":true,"
    "\"readers\":[{\"service\":\"web\",\"uid\":1}]}},\"health\":{\"service\":\"web\",\"port\":8080,"
    "\"expect\":[{"
    "\"path\":\"/healthz\",\"identity\":true},{\"path\":\"/\"}]}}";

static int set_up(void **state) {
    struct fixture *f = mem_alloc(sizeof *f);
    struct err err = {0};
    cleanup_json json_t *spec = json_loads(spec_text, 0, NULL);
    f->release = release_parse((struct uuid){{1}}, "app", NULL, spec, "", &err);
    if (!f->release)
        fail_msg("%s", err.text);
    f->release->needs &= ~(unsigned)NEED_IMAGE; /* where it is built is no matter here */
    f->cellar = (struct node){.id = {{1}}, .name = "cellar", .address = "10.0.0.1", .health = "ok"};
    f->plane = (struct plane){.mode = "private", .scheme = "http", .public_port = 80};
    f->instance = (struct instance){.change = ROW_NEW,
                                    .id = {{5}},
                                    .tenant_id = {{6}},
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
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    release_free(f->release);
    arena_release(&f->arena);
    mem_free_p(&f);
    return 0;
}

static void take(struct fixture *f, const struct decide_event *event) {
    struct refusal refusal;
    assert_true(decide(&f->subject, event, &f->decision, &refusal));
}

static void say(struct fixture *f, int kind, const char *condition) {
    const struct document *document = subject_document(&f->subject, kind, SET_FIRST);
    assert_non_null(document);
    take(f, &(struct decide_event){
                .kind = DECIDE_DOCUMENT,
                .document = {.kind = kind,
                             .letter = SET_FIRST,
                             .node_id = document->node_id,
                             .epoch = 1,
                             .revision = document->revision,
                             .condition = condition,
                             .result = str_eq(condition, "failing") ? RESULT_IS_RETRY : RESULT_IS_OK,
                             .problem = {"no_connection", "It does not answer.", NULL},
                             .n = ++f->said}});
}

static struct step *step_of(const struct fixture *f, const char *act) {
    for (size_t i = 0; i < f->subject.steps.n; i++)
        if (str_eq(vec_at(&f->subject.steps, struct step, i)->act, act))
            return vec_at(&f->subject.steps, struct step, i);
    fail_msg("no act \"%s\"", act);
    return NULL;
}

static void name_it(struct fixture *f) {
    const struct step *step = step_of(f, "name");
    take(f, &(struct decide_event){.kind = DECIDE_ORDER,
                                   .order_id = step->order_id,
                                   .attempt = step->attempt,
                                   .result = RESULT_IS_OK});
}

/* Up to where its watch is asked for. */
static void serve(struct fixture *f) {
    take(f, &(struct decide_event){.kind = DECIDE_INTENT, .intent = INTENT_CREATE});
    take(f, &(struct decide_event){.kind = DECIDE_PLACED,
                                   .host = &f->cellar,
                                   .edge = &f->cellar,
                                   .prober = &f->cellar,
                                   .port = 20001});
    name_it(f);
    say(f, DOCUMENT_STACK, "healthy");
    say(f, DOCUMENT_ROUTE, "healthy");
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
    say(f, DOCUMENT_WATCH, "failing");
    assert_int_equal(f->instance.state, STATE_NEW);
    assert_string_equal(step_of(f, "verify")->problem, "It does not answer.");
    say(f, DOCUMENT_WATCH, "healthy");
    assert_int_equal(f->instance.state, STATE_RUNNING);
    assert_int_equal(expectations(f), 1); /* from now on what proves it: its pages are its owner's */
}

/* After a stop the same watch looks again: what it saw before is no proof. */
static void a_start_is_proved_anew(void **state) {
    struct fixture *f = *state;
    serve(f);
    say(f, DOCUMENT_WATCH, "healthy");
    take(f, &(struct decide_event){.kind = DECIDE_INTENT, .intent = INTENT_STOP});
    say(f, DOCUMENT_ROUTE, "healthy");
    say(f, DOCUMENT_STACK, "stopped");
    assert_int_equal(f->instance.state, STATE_STOPPED);
    take(f, &(struct decide_event){.kind = DECIDE_INTENT, .intent = INTENT_START});
    name_it(f);
    say(f, DOCUMENT_STACK, "healthy");
    say(f, DOCUMENT_ROUTE, "healthy");
    assert_int_equal(f->instance.state, STATE_STOPPED);
    say(f, DOCUMENT_WATCH, "healthy");
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
        TEST(nothing_secret_is_delivered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
