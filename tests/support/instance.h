/* One instance, what a decision about it looks at, and what nodes say: for tests of the model. Each test is a
 * function of a `struct fixture *`, between set_up() and tear_down(). */
#ifndef FAIRLEAD_TESTS_SUPPORT_INSTANCE_H
#define FAIRLEAD_TESTS_SUPPORT_INSTANCE_H

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "model/decide.h"
#include "model/message.h"
#include "proto/fairlead.pb-c.h"
#include "tests/support/check.h"

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
    "\"cpu_share\":100}},\"secrets\":{\"admin\":{\"deliver\":true,\"readers\":[{\"service\":\"web\",\"uid\":"
    "1}]}},"
    "\"health\":{\"service\":\"web\",\"port\":8080,\"expect\":[{\"path\":\"/\",\"identity\":true},"
    "{\"path\":\"/about\"}]}}";

static inline int set_up(void **state) {
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

static inline int tear_down(void **state) {
    struct fixture *f = *state;
    release_free(f->release);
    arena_release(&f->arena);
    mem_free_p(&f);
    return 0;
}

static inline void ask(struct fixture *f, enum intent_kind kind) {
    struct decide_event event = {.kind = DECIDE_INTENT, .intent = kind};
    assert_true(decide(&f->subject, &event, &f->decision, &f->refusal));
}

static inline void place_it(struct fixture *f) {
    struct decide_event event = {.kind = DECIDE_PLACED, .host = &f->one, .edge = &f->edge, .port = 20001};
    assert_true(decide(&f->subject, &event, &f->decision, &f->refusal));
}

static inline struct step *step_of(struct fixture *f, const char *act) {
    for (size_t i = 0; i < f->subject.steps.n; i++)
        if (str_eq(vec_at(&f->subject.steps, struct step, i)->act, act))
            return vec_at(&f->subject.steps, struct step, i);
    fail_msg("no act \"%s\"", act);
    return NULL;
}

/* An order or a work is done: orders by a report, works by what the row says. */
static inline void done(struct fixture *f, const char *act) {
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

static inline void say(struct fixture *f, int kind, const char *letter, const char *condition) {
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

#endif
