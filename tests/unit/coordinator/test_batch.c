/* One batch of the engine (protocol section 2): at most one input of an instance changes it; the rest wait.
 * And a haul of reports: only the last word about a document is looked at. */
#include "coordinator/engine_own.h"
#include "coordinator/ingest_own.h"
#include "tests/support/check.h"

#include <string.h>

#define INPUTS 6

struct fixture {
    struct arena arena;
    struct instance instances[2];
    struct input inputs[INPUTS];
    struct batch_input slots[INPUTS];
    struct engine_batch batch;
};

static int set_up(void **state) {
    struct fixture *f = mem_alloc(sizeof *f);
    f->batch.base.arena = &f->arena;
    f->batch.inputs = f->slots;
    for (uint8_t i = 0; i < 2; i++) {
        f->instances[i].id = (struct uuid){{(uint8_t)(i + 1)}};
        (void)batch_add_subject(&f->batch.base, &f->instances[i], NULL, NULL);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    arena_release(&f->arena);
    mem_free_p(&f);
    return 0;
}

static struct batch_input *input(struct fixture *f, enum input_kind kind, uint8_t instance) {
    size_t i = f->batch.n++;
    f->inputs[i] = (struct input){.kind = kind, .instance_id = {{instance}}};
    f->slots[i] = (struct batch_input){.input = &f->inputs[i]};
    return &f->slots[i];
}

static void one_input_of_an_instance_has_its_turn(void **state) {
    struct fixture *f = *state;
    struct batch_input *first = input(f, INPUT_INTENT, 1), *other = input(f, INPUT_DOCUMENT, 2),
                       *second = input(f, INPUT_DOCUMENT, 1);
    engine_join(&f->batch);
    assert_false(first->skip);
    assert_false(other->skip);
    assert_true(second->skip);
    assert_ptr_equal(first->subject->instance, &f->instances[0]);
}

static void what_was_answered_takes_no_turn(void **state) {
    struct fixture *f = *state;
    struct batch_input *replayed = input(f, INPUT_INTENT, 1), *next = input(f, INPUT_INTENT, 1);
    replayed->answered = true;
    engine_join(&f->batch);
    assert_false(next->skip);
}

static void what_another_transaction_holds_waits(void **state) {
    struct fixture *f = *state;
    struct batch_input *held = input(f, INPUT_DUE, 9), *unknown = input(f, INPUT_DUE, 8);
    *vec_add(&f->arena, &f->batch.base.held, struct uuid) = (struct uuid){{9}};
    engine_join(&f->batch);
    assert_true(held->skip);
    assert_false(unknown->skip); /* of no instance: told so, not put back for ever */
    assert_null(unknown->subject);
}

static void a_create_has_no_subject_yet(void **state) {
    struct fixture *f = *state;
    struct batch_input *create = input(f, INPUT_CREATE, 0), *work = input(f, INPUT_WORK, 0);
    engine_join(&f->batch);
    assert_null(create->subject);
    assert_null(work->subject);
    assert_false(create->skip || work->skip);
}

static struct input *report(struct haul *haul, const char *letter, uint8_t stream, int64_t n) {
    struct input *input = arena_new(&haul->arena, struct input);
    input->kind = INPUT_DOCUMENT;
    input->event.document = (struct document_report){
        .node_id = {{3}}, .kind = DOCUMENT_STACK, .letter = letter, .stream = {{stream}}, .n = n};
    *vec_add(&haul->arena, &haul->inputs, struct input *) = input;
    return input;
}

static void the_last_word_about_a_document_stays(void **state) {
    struct haul haul = {0};
    (void)state;
    (void)report(&haul, "a", 1, 7);
    const struct input *last = report(&haul, "a", 1, 9);
    (void)report(&haul, "a", 1, 8);
    const struct input *other_set = report(&haul, "b", 1, 2), *other_stream = report(&haul, "a", 2, 1);
    struct input *order = arena_new(&haul.arena, struct input), *again = arena_new(&haul.arena, struct input);
    order->kind = again->kind = INPUT_ORDER;
    *vec_add(&haul.arena, &haul.inputs, struct input *) = order;
    *vec_add(&haul.arena, &haul.inputs, struct input *) = again;
    ingest_fold(&haul);
    assert_int_equal(haul.inputs.n, 5);
    const struct input *const kept[] = {last, other_set, other_stream, order, again};
    for (size_t i = 0; i < 5; i++)
        assert_ptr_equal(*vec_at(&haul.inputs, struct input *, i), kept[i]);
    haul_release(&haul);
}

/* What was sealed once comes once. */
static void a_word_with_secrets_stays(void **state) {
    struct haul haul = {0};
    (void)state;
    struct input *sealed = report(&haul, "a", 1, 7);
    *vec_add(&haul.arena, &sealed->delivered, struct sealed) = (struct sealed){.name = "password"};
    (void)report(&haul, "a", 1, 8);
    ingest_fold(&haul);
    assert_int_equal(haul.inputs.n, 2);
    haul_release(&haul);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(one_input_of_an_instance_has_its_turn), TEST(what_was_answered_takes_no_turn),
        TEST(what_another_transaction_holds_waits),  TEST(a_create_has_no_subject_yet),
        TEST(the_last_word_about_a_document_stays),  TEST(a_word_with_secrets_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
