/* The tables: that they are whole, and what people rely on, said a second time in other words: a row that is
 * dropped or changed by a slip must meet somebody who expects it (tests/mutation). */
#include "base/str.h"
#include "model/tables.h"
#include "tests/support/check.h"

#include <stdio.h>
#include <string.h>

static void every_walk_can_be_walked(void **state) {
    (void)state;
    for (int i = 0; i < act_rows_n; i++) {
        const struct act_row *row = &act_rows[i];
        assert_ptr_equal(act_find(row->walk, row->name), row); /* its name is its own */
        char names[128], *rest = names;
        (void)snprintf(names, sizeof names, "%s", row->after);
        for (char *name; (name = strsep(&rest, " "));) {
            if (!*name)
                continue;
            const struct act_row *before = act_find(row->walk, name);
            if (!before)
                fail_msg("%s of %s waits for \"%s\"", row->name, walk_rows[row->walk].name, name);
            assert_true(before < row); /* no circle: what comes first stands first */
            assert_true(act_is_after(row, name));
        }
    }
}

static void names_of_acts_are_whole_words(void **state) {
    const struct act_row row = {.after = "place build"};
    (void)state;
    assert_true(act_is_after(&row, "place"));
    assert_true(act_is_after(&row, "build"));
    assert_false(act_is_after(&row, "buil"));
    assert_false(act_is_after(&row, "lace"));
    assert_false(act_is_after(&(struct act_row){.after = ""}, "place"));
}

static void every_walk_ends_in_a_state_that_may_follow(void **state) {
    (void)state;
    for (int i = 0; i < cell_rows_n; i++) {
        const struct cell_row *cell = &cell_rows[i];
        enum state end = walk_rows[cell->walk].end;
        if (end == STATE_COUNT)
            continue;
        assert_true(transition_legal(cell->state, end));
        assert_true(transition_legal(cell->state, STATE_FAILED) || cell->walk == WALK_DELETE ||
                    cell->walk == WALK_FORGET);
    }
}

static void a_budget_ends_in_parking(void **state) {
    (void)state;
    assert_int_equal(result_outcome(RESULT_IS_RETRY, true), OUTCOME_AGAIN);
    assert_int_equal(result_outcome(RESULT_IS_RETRY, false), OUTCOME_PARK);
    assert_int_equal(result_outcome(RESULT_IS_PARK, true), OUTCOME_PARK);
    assert_int_equal(result_outcome(RESULT_IS_OK, false), OUTCOME_DONE);
}

/* "a b c" has "b" as a word. */
static bool has_word(const char *words, const char *word) {
    size_t n = strlen(word);
    for (const char *at = words; (at = strstr(at, word)); at += n)
        if ((at == words || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
            return true;
    return false;
}

/* Of each state: what changes something on machines, and what only moves its end. */
static const struct {
    const char *walks, *moves;
} may_be_asked[STATE_COUNT] = {
    [STATE_NEW] = {"create expire delete", ""},
    [STATE_RUNNING] = {"stop expire repair delete", "extend"},
    [STATE_STOPPED] = {"start expire delete", "extend"},
    [STATE_SUSPENDED] = {"extend delete", ""},
    [STATE_FAILED] = {"retry expire delete", "extend"},
    [STATE_DELETING] = {"retry forget", ""},
    [STATE_DELETED] = {"", ""},
};

static void what_may_be_asked_in_which_state(void **state) {
    (void)state;
    for (int s = 0; s < STATE_COUNT; s++)
        for (int i = 0; i < INTENT_COUNT; i++) {
            const char *name = intent_rows[i].name;
            const struct cell_row *cell = cell_find((enum state)s, (enum intent_kind)i);
            bool walks = has_word(may_be_asked[s].walks, name), moves = has_word(may_be_asked[s].moves, name);
            if (!!cell != (walks || moves))
                fail_msg("%s, asked to %s", state_rows[s].name, name);
            if (cell && moves != (cell->walk == WALK_NONE))
                fail_msg("%s, asked to %s: %s", state_rows[s].name, name, walk_rows[cell->walk].name);
            /* A request has the walk of its name; more time for what has ended starts it. */
            if (cell && walks && !str_eq(walk_rows[cell->walk].name, i == INTENT_EXTEND ? "start" : name))
                fail_msg("%s, asked to %s: %s", state_rows[s].name, name, walk_rows[cell->walk].name);
        }
}

static void where_walks_lead(void **state) {
    static const struct {
        enum walk walk;
        const char *end, *again; /* again: what it is while it runs after it had parked */
    } walks[] = {{WALK_CREATE, "running", "new"},      {WALK_START, "running", "new"},
                 {WALK_REPAIR, "running", "failed"},   {WALK_STOP, "stopped", "failed"},
                 {WALK_EXPIRE, "suspended", "failed"}, {WALK_DELETE, "deleted", "failed"},
                 {WALK_FORGET, "deleted", "failed"}};
    (void)state;
    for (size_t i = 0; i < sizeof walks / sizeof *walks; i++) {
        const struct walk_name_row *row = &walk_rows[walks[i].walk];
        const char *again = row->from == STATE_COUNT ? "failed" : state_rows[row->from].name;
        assert_string_equal(state_rows[row->end].name, walks[i].end);
        assert_string_equal(again, walks[i].again);
        assert_string_equal(event_rows[row->event].type, walks[i].end);
    }
}

/* Nothing is called running because a command succeeded: it was fetched through its name last of all. */
static void what_runs_was_proved(void **state) {
    (void)state;
    for (int w = 0; w < WALK_COUNT; w++) {
        if (walk_rows[w].end != STATE_RUNNING)
            continue;
        const struct act_row *verify = act_find((enum walk)w, "verify");
        assert_non_null(verify);
        assert_int_equal(verify->step, STEP_VERIFY);
        for (int i = 0; i < act_rows_n; i++) {
            const struct act_row *row = &act_rows[i];
            bool proved = row->step == STEP_NAME || row->step == STEP_ROUTE;
            if ((int)row->walk == w && proved && !act_is_after(verify, row->name))
                fail_msg("%s: verified before %s", walk_rows[w].name, step_rows[row->step].name);
        }
    }
}

/* The name first, then as long as caches may have it, then what it showed, then the app: nobody is led to
 * nothing. */
static void a_delete_goes_from_the_outside_in(void **state) {
    static const char *const chain[] = {"name", "wait", "route", "stack"};
    (void)state;
    for (size_t i = 1; i < sizeof chain / sizeof *chain; i++) {
        assert_true(act_is_after(act_find(WALK_DELETE, chain[i]), chain[i - 1]));
        assert_true(act_is_after(act_find(WALK_FORGET, chain[i]), chain[i - 1]));
    }
}

/* Whoever forgets an app takes away all that a delete does, in its order. */
static void what_is_forgotten_is_deleted(void **state) {
    int deleted = 0, forgotten = 0;
    (void)state;
    for (int i = 0; i < act_rows_n; i++) {
        const struct act_row *row = &act_rows[i];
        deleted += row->walk == WALK_DELETE;
        forgotten += row->walk == WALK_FORGET;
        if (row->walk != WALK_DELETE)
            continue;
        const struct act_row *same = act_find(WALK_FORGET, row->name);
        assert_non_null(same);
        assert_int_equal(same->step, row->step);
        assert_int_equal(same->of, row->of);
        assert_int_equal(same->want, row->want);
        assert_int_equal(same->needs, row->needs);
        assert_string_equal(same->after, row->after);
    }
    assert_int_equal(forgotten, deleted);
}

/* Names, routes and watches are the instance's, whichever of its sets serves; what is built, placed and
 * started is a set. */
static void what_an_act_is_of(void **state) {
    (void)state;
    for (int i = 0; i < act_rows_n; i++) {
        const struct act_row *row = &act_rows[i];
        bool of_set = row->step == STEP_PLACE || row->step == STEP_RESOLVE || row->step == STEP_BUILD ||
                      row->step == STEP_STACK;
        if (row->of != (of_set ? OF_SERVING : OF_INSTANCE))
            fail_msg("%s of %s", row->name, walk_rows[row->walk].name);
        enum document_kind kind = document_kind_of_step(row->step);
        assert_true(kind == DOCUMENT_KIND_COUNT || document_rows[kind].of == row->of);
    }
}

/* Programs that act on events know them by these names. */
static void a_request_is_told_by_its_name(void **state) {
    (void)state;
    for (int i = 0; i < INTENT_COUNT; i++) {
        char type[64];
        (void)snprintf(type, sizeof type, "%s_requested", intent_rows[i].name);
        assert_string_equal(event_rows[intent_rows[i].event].type, i == INTENT_CREATE   ? "created"
                                                                   : i == INTENT_EXPIRE ? "expired"
                                                                                        : type);
    }
}

/* P7: what a machine should do is sent again when nobody answers, and tried again when it fails; an outage of
 * a minute parks nothing. */
static void nothing_depends_on_one_try(void **state) {
    (void)state;
    for (int i = 0; i < STEP_COUNT; i++) {
        const struct step_row *row = &step_rows[i];
        if (row->carrier == CARRIER_ENGINE || i == STEP_WATCH) /* a watch is never awaited */
            continue;
        int seconds = 0, delay = row->backoff_s;
        for (int n = 1; n < row->attempts; n++, delay *= 2)
            seconds += delay < 60 ? delay : 60;
        if (!row->deadline_s || row->attempts < 3 || row->backoff_s < 1)
            fail_msg("%s", row->name);
        if (row->carrier != CARRIER_WORK && seconds < 60)
            fail_msg("%s gives up after %d s", row->name, seconds);
    }
}

static void who_carries_a_step_is_one(void **state) {
    (void)state;
    for (int i = 0; i < STEP_COUNT; i++) {
        enum carrier carrier = step_rows[i].carrier;
        bool ordered = order_find((enum step_kind)i) != NULL,
             written = document_kind_of_step((enum step_kind)i) < DOCUMENT_KIND_COUNT;
        assert_int_equal(ordered, carrier == CARRIER_ORDER || carrier == CARRIER_WORK);
        assert_int_equal(written, carrier == CARRIER_DOCUMENT);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_walk_can_be_walked),
        cmocka_unit_test(names_of_acts_are_whole_words),
        cmocka_unit_test(every_walk_ends_in_a_state_that_may_follow),
        cmocka_unit_test(a_budget_ends_in_parking),
        cmocka_unit_test(what_may_be_asked_in_which_state),
        cmocka_unit_test(where_walks_lead),
        cmocka_unit_test(what_runs_was_proved),
        cmocka_unit_test(a_delete_goes_from_the_outside_in),
        cmocka_unit_test(what_an_act_is_of),
        cmocka_unit_test(what_is_forgotten_is_deleted),
        cmocka_unit_test(a_request_is_told_by_its_name),
        cmocka_unit_test(nothing_depends_on_one_try),
        cmocka_unit_test(who_carries_a_step_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
