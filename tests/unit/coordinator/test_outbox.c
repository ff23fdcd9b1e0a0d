/* What a batch sends (protocol sections 3 to 5): orders of one topic and partition travel in one envelope, in
 * the order they were decided; nothing is larger than a broker takes. */
#include "base/str.h"
#include "coordinator/store/batch.h"
#include "coordinator/topics.h"
#include "proto/fairlead.pb-c.h"
#include "tests/support/check.h"

#include <string.h>

struct fixture {
    struct arena arena;
    struct sign_keys keys;
    struct keyring ring;
    atomic_uint owned;
    struct carriage carriage;
    struct batch batch;
    struct vec rows; /* struct outbox_row * */
};

static int set_up(void **state) {
    struct fixture *f = mem_alloc(sizeof *f);
    struct err err = {0};
    if (sign_init(&err) < 0)
        return -1;
    sign_keys_make(&f->keys);
    (void)keyring_add(&f->ring, f->keys.sign_public);
    f->carriage = (struct carriage){.keys = &f->keys, .owned = &f->owned};
    f->batch = (struct batch){.arena = &f->arena, .carriage = &f->carriage, .now = 1000, .epoch = 1};
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    arena_release(&f->arena);
    mem_free_p(&f);
    return 0;
}

/* An order that packs to about so many bytes. */
static void order(struct fixture *f, enum step_kind kind, const char *key, size_t bytes, int64_t not_after) {
    struct decision *decision = batch_decision(&f->batch, (struct uuid){{1}});
    Fairlead__V1__Order packed = FAIRLEAD__V1__ORDER__INIT;
    char *subject = arena_alloc(&f->arena, bytes + 1);
    memset(subject, 'x', bytes);
    packed.subject = subject;
    size_t n = fairlead__v1__order__get_packed_size(&packed);
    uint8_t *p = arena_alloc(&f->arena, n);
    fairlead__v1__order__pack(&packed, p);
    *vec_add(&f->arena, &decision->orders, struct order_out) = (struct order_out){
        .kind = kind, .partition_key = key, .plane_mode = "shared", .order = {p, n}, .not_after = not_after};
}

static void collect(struct fixture *f) {
    struct err err = {0};
    assert_int_equal(batch_collect_outbox(&f->batch, &f->rows, &err), 0);
}

static const struct outbox_row *row(const struct fixture *f, size_t i) {
    return *vec_at(&f->rows, struct outbox_row *, i);
}

static Fairlead__V1__Orders *opened(struct fixture *f, size_t i) {
    struct err err = {0};
    struct opened opened;
    assert_int_equal(
        envelope_open(&f->ring, row(f, i)->value.p, row(f, i)->value.n, &f->arena, &opened, &err), 0);
    assert_string_equal(opened.type, ENVELOPE_ORDERS);
    Fairlead__V1__Orders *orders = fairlead__v1__orders__unpack(NULL, opened.n, opened.payload);
    assert_non_null(orders);
    return orders;
}

static void orders_without_a_key_share_one_record(void **state) {
    struct fixture *f = *state;
    for (int i = 0; i < 50; i++)
        order(f, STEP_NOOP, NULL, 20, 5000 - i);
    collect(f);
    assert_int_equal(f->rows.n, 1);
    assert_string_equal(row(f, 0)->topic, "fairlead.orders.noop");
    Fairlead__V1__Orders *orders = opened(f, 0);
    assert_int_equal(orders->n_orders, 50);
    assert_string_equal(orders->audience, "any/provider");
    assert_int_equal(orders->issued_us, 1000);
    assert_int_equal(orders->not_after_us, 4951); /* of the first that ends */
    fairlead__v1__orders__free_unpacked(orders, NULL);
}

static void the_next_batch_takes_another_partition(void **state) {
    struct fixture *f = *state;
    order(f, STEP_NOOP, NULL, 20, 5000);
    collect(f);
    int64_t first = row(f, 0)->partition;
    f->batch.decisions = (struct vec){0};
    order(f, STEP_NOOP, NULL, 20, 5000);
    collect(f);
    assert_int_not_equal(row(f, 1)->partition, first);
}

/* Two changes of one name must not race. */
static void one_key_is_one_partition(void **state) {
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        order(f, STEP_NAME, "one.example.org", 20, 5000);
        order(f, STEP_NAME, "two.example.org", 20, 5000);
    }
    collect(f);
    unsigned partitions = (unsigned)topic_partitions("fairlead.orders.dns");
    unsigned one = topic_hash("one.example.org") % partitions,
             two = topic_hash("two.example.org") % partitions;
    assert_int_not_equal(one, two);
    assert_int_equal(f->rows.n, 2);
    for (size_t i = 0; i < f->rows.n; i++) {
        Fairlead__V1__Orders *orders = opened(f, i);
        assert_int_equal(orders->n_orders, 3);
        assert_true(row(f, i)->partition == one || row(f, i)->partition == two);
        assert_string_equal(orders->audience, "dns/provider");
        fairlead__v1__orders__free_unpacked(orders, NULL);
    }
}

static void what_is_too_much_for_one_record_is_two(void **state) {
    struct fixture *f = *state;
    size_t orders_n = 0;
    for (int i = 0; i < 40; i++)
        order(f, STEP_NAME, "one.example.org", 40000, 5000);
    collect(f);
    assert_true(f->rows.n >= 2);
    for (size_t i = 0; i < f->rows.n; i++) {
        assert_true(row(f, i)->value.n < ENVELOPE_BYTES_MAX);
        Fairlead__V1__Orders *orders = opened(f, i);
        orders_n += orders->n_orders;
        fairlead__v1__orders__free_unpacked(orders, NULL);
    }
    assert_int_equal(orders_n, 40);
}

static void an_order_that_no_broker_takes_is_refused_before_it_is_stored(void **state) {
    struct fixture *f = *state;
    struct err err = {0};
    order(f, STEP_NAME, "one.example.org", 2000000, 5000);
    assert_int_equal(batch_collect_outbox(&f->batch, &f->rows, &err), -1);
    assert_int_equal(err.cls, ERR_PARK);
}

static void keys_of_events_are_one_row(void **state) {
    struct fixture *f = *state;
    struct decision *decision = batch_decision(&f->batch, (struct uuid){{1}});
    for (int i = 0; i < 300; i++)
        vec_add(&f->arena, &decision->events, struct event_row)->id = (struct uuid){{(uint8_t)i, 1}};
    collect(f);
    assert_int_equal(f->rows.n, 1);
    assert_int_equal(row(f, 0)->lane, LANE_EVENTS);
    assert_int_equal(row(f, 0)->value.n, 300 * sizeof(struct event_key));
}

static void a_document_names_its_set(void **state) {
    struct fixture *f = *state;
    struct err err = {0};
    struct instance instance = {.id = {{5}}};
    struct subject *subject = batch_add_subject(&f->batch, &instance, NULL, NULL);
    const char *const letters[] = {"a", "b"};
    for (size_t i = 0; i < 2; i++)
        *vec_add(&f->arena, &subject->documents, struct document) = (struct document){.node_id = {{7}},
                                                                                      .instance_id = {{5}},
                                                                                      .kind = DOCUMENT_STACK,
                                                                                      .letter = letters[i],
                                                                                      .send = true};
    collect(f);
    assert_int_equal(f->rows.n, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct document *document = vec_at(&subject->documents, struct document, i);
        struct opened opened;
        assert_string_equal(row(f, i)->letter, letters[i]);
        assert_int_equal(
            envelope_open(&f->ring, document->envelope.p, document->envelope.n, &f->arena, &opened, &err), 0);
        Fairlead__V1__Document *packed = fairlead__v1__document__unpack(NULL, opened.n, opened.payload);
        assert_string_equal(packed->set, i ? "b" : ""); /* what is signed since before sets stays the same */
        fairlead__v1__document__free_unpacked(packed, NULL);
    }
}

static void the_key_of_a_first_set_has_no_letter(void **state) {
    cleanup_str struct str first = STR_INIT(64), second = STR_INIT(64);
    (void)state;
    key_of_document(&first, (struct uuid){{1}}, (struct uuid){{2}}, "stack", "a");
    key_of_document(&second, (struct uuid){{1}}, (struct uuid){{2}}, "stack", "b");
    assert_int_equal(first.n, 32 + strlen("stack"));
    assert_memory_equal(second.s + 32, "stack.b", 7);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(orders_without_a_key_share_one_record),
        TEST(the_next_batch_takes_another_partition),
        TEST(one_key_is_one_partition),
        TEST(what_is_too_much_for_one_record_is_two),
        TEST(an_order_that_no_broker_takes_is_refused_before_it_is_stored),
        TEST(keys_of_events_are_one_row),
        TEST(a_document_names_its_set),
        TEST(the_key_of_a_first_set_has_no_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
