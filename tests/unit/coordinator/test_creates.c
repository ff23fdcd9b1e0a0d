/* Creates in a batch (protocol section 2): what one of them may look at are rows and those before it in the
 * same batch; a name has one owner; what is refused is told why. Contexts are as create_context.sql returns
 * them. */
#include "base/json.h"
#include "base/str.h"
#include "coordinator/engine_own.h"
#include "tests/support/check.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define CREATES 4
#define COLUMNS 19
enum { OID_INT8 = 20, OID_UUID = 2950, OID_BOOL = 16, OID_TEXT = 25 };
static const Oid types[COLUMNS] = {OID_INT8, OID_UUID, OID_UUID, OID_UUID, OID_INT8, OID_INT8, OID_INT8,
                                   OID_TEXT, OID_INT8, OID_INT8, OID_INT8, OID_UUID, OID_INT8, OID_INT8,
                                   OID_BOOL, OID_BOOL, OID_BOOL, OID_BOOL, OID_TEXT};

static char column_name[] = "c";

struct fixture {
    struct arena arena;
    struct release *release;
    struct plane plane;
    struct settings settings;
    struct input inputs[CREATES];
    struct batch_input slots[CREATES];
    struct name names[CREATES];
    struct carriage carriage;
    struct engine_batch batch;
};

static int set_up(void **state) {
    struct fixture *f = mem_alloc(sizeof *f);
    struct err err = {0};
    PGresAttDesc columns[COLUMNS];
    cleanup_json json_t *spec =
        json_pack("{s:s, s:s, s:s, s:b}", "title", "Noop", "summary", "Nothing.", "version", "1", "noop", 1);
    f->release = release_parse((struct uuid){{1}}, "noop", NULL, spec, "", &err);
    f->plane =
        (struct plane){.id = {{2}}, .name = "main", .mode = "shared", .scheme = "http", .public_port = 80};
    f->settings = (struct settings){.base = "b", .dns_ttl_s = 60, .name_hold_s = 60};
    f->batch.base = (struct batch){.arena = &f->arena, .settings = f->settings, .now = 1000, .epoch = 1};
    f->batch.inputs = f->slots;
    f->batch.contexts = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    for (int i = 0; i < COLUMNS; i++)
        columns[i] = (PGresAttDesc){.name = column_name, .format = 1, .typid = types[i], .typlen = -1};
    if (!f->release || !PQsetResultAttrs(f->batch.contexts, COLUMNS, columns))
        return -1;
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < f->batch.n; i++) {
        free(f->inputs[i].answer.body);
        free(f->inputs[i].answer.location);
        json_decref(f->inputs[i].create.inputs);
    }
    PQclear(f->batch.contexts);
    release_free(f->release);
    arena_release(&f->arena);
    mem_free_p(&f);
    return 0;
}

static void set_number(struct fixture *f, int row, int column, int64_t value) {
    uint64_t wire = htobe64((uint64_t)value);
    assert_true(PQsetvalue(f->batch.contexts, row, column, (char *)&wire, sizeof wire));
}

static void set_id(struct fixture *f, int row, int column, uint8_t first) {
    struct uuid id = {{first}};
    assert_true(PQsetvalue(f->batch.contexts, row, column, (char *)id.b, sizeof id.b));
}

static void set_truth(struct fixture *f, int row, int column, char value) {
    assert_true(PQsetvalue(f->batch.contexts, row, column, &value, 1));
}

/* A create of tenant 5 of customer 4, whose plan knows no limits; others are told by what they set. */
static struct batch_input *create(struct fixture *f, const char *name) {
    int row = (int)f->batch.n++;
    struct input *input = &f->inputs[row];
    *input = (struct input){.kind = INPUT_CREATE,
                            .seed = {{(uint8_t)(100 + row), 1}},
                            .create = {.app = "noop",
                                       .customer = "harbour",
                                       .tenant = "office",
                                       .plane = "main",
                                       .size = "small",
                                       .name = name,
                                       .inputs = json_object(),
                                       .trial_days = -1}};
    f->slots[row] = (struct batch_input){.input = input, .release = f->release, .plane = &f->plane};
    *vec_add(&f->arena, &f->batch.creates, struct batch_input *) = &f->slots[row];
    set_number(f, row, 0, row);
    set_id(f, row, 1, 4);
    set_id(f, row, 2, 5);
    set_id(f, row, 3, 6);
    set_number(f, row, 4, 100);
    set_number(f, row, 5, 200);
    for (int column = 6; column < 14; column++)
        (void)PQsetvalue(f->batch.contexts, row, column, NULL, -1);
    set_number(f, row, 10, 30);
    set_truth(f, row, 14, 1);
    set_truth(f, row, 15, 1);
    set_truth(f, row, 16, 1); /* the plane is no other customer's */
    set_truth(f, row, 17, 1); /* the tenant is on it */
    return &f->slots[row];
}

static struct name *claim(struct fixture *f, struct batch_input *in, const char *host) {
    struct name *name = &f->names[in - f->slots];
    *name = (struct name){.host = host, .instance_id = uuid_derive(in->input->seed, 1)};
    in->name = name;
    in->name_claimed = true;
    return name;
}

static void check_answer(const struct batch_input *in, int status, const char *part) {
    assert_true(in->answered);
    assert_int_equal(in->input->answer.status, status);
    if (part && !strstr(in->input->answer.body, part))
        fail_msg("\"%s\" is not in: %s", part, in->input->answer.body);
}

static void what_is_accepted_is_made(void **state) {
    struct fixture *f = *state;
    struct batch_input *in = create(f, "one");
    creates_decide(&f->batch);
    check_answer(in, 202, "\"new\"");
    assert_int_equal(f->batch.base.subjects_n, 1);
    const struct instance *instance = f->batch.base.subjects[0]->instance;
    assert_string_equal(instance->name, "one");
    assert_string_equal(instance->serving, SET_FIRST);
    assert_int_equal(instance->trial_days, 30);                          /* the plan's */
    assert_true(uuid_eq(instance->id, uuid_derive(in->input->seed, 1))); /* the same when it runs again */
}

/* The second finds the first as a row, in the next batch. */
static void two_of_one_name_do_not_share_a_batch(void **state) {
    struct fixture *f = *state;
    struct batch_input *first = create(f, "one"), *second = create(f, "one"), *other = create(f, "two");
    creates_decide(&f->batch);
    check_answer(first, 202, NULL);
    assert_false(second->answered);
    assert_true(second->skip);
    check_answer(other, 202, NULL);
}

static void a_quota_counts_what_the_batch_has_made(void **state) {
    struct fixture *f = *state;
    struct batch_input *first = create(f, "one"), *second = create(f, "two"), *third = create(f, "three");
    for (int row = 0; row < 3; row++) {
        set_number(f, row, 8, 5);  /* instances that the plan allows */
        set_number(f, row, 12, 3); /* that there are */
    }
    creates_decide(&f->batch);
    check_answer(first, 202, NULL);
    check_answer(second, 202, NULL);
    check_answer(third, 403, "allows 5 instances and 5 are there");
}

static void memory_is_a_quota_too(void **state) {
    struct fixture *f = *state;
    struct batch_input *in = create(f, "one");
    set_number(f, 0, 9, 500);
    set_number(f, 0, 13, 400); /* 200 more are asked for */
    creates_decide(&f->batch);
    check_answer(in, 403, "500 MB of memory; 400 MB are in use");
}

/* What is another's is refused in the words of what is not there (acceptance 17). */
static void what_is_not_reached_is_not_there(void **state) {
    struct fixture *f = *state;
    struct batch_input *own = create(f, "one"), *customer = create(f, "two"), *tenant = create(f, "three"),
                       *plane = create(f, "four");
    own->input->reach = (struct reach){.customer_id = {{4}}, .tenant_id = {{5}}};
    customer->input->reach.customer_id = (struct uuid){{9}};
    tenant->input->reach = (struct reach){.customer_id = {{4}}, .tenant_id = {{9}}};
    plane->input->reach.plane_id = (struct uuid){{9}};
    creates_decide(&f->batch);
    check_answer(own, 202, NULL);
    check_answer(customer, 422, "There is no tenant \\\"harbour/office\\\"");
    check_answer(tenant, 422, "There is no tenant \\\"harbour/office\\\"");
    check_answer(plane, 422, "There is no plane \\\"main\\\"");
}

static void a_plane_of_another_is_not_there(void **state) {
    struct fixture *f = *state;
    struct batch_input *limited = create(f, "one"), *operator= create(f, "two"),
                       *stranger = create(f, "three");
    limited->input->reach.customer_id = (struct uuid){{4}};
    stranger->input->reach.plane_id = (struct uuid){{2}};
    for (int row = 0; row < 2; row++) {
        set_truth(f, row, 15, 0);
        set_truth(f, row, 16, 0);
    }
    set_truth(f, 2, 17, 0);
    creates_decide(&f->batch);
    check_answer(limited, 422, "There is no plane \\\"main\\\"");
    check_answer(operator, 403, "does not allow the plane");
    check_answer(stranger, 422, "There is no tenant \\\"harbour/office\\\"");
}

static void what_is_not_there_is_named(void **state) {
    struct fixture *f = *state;
    struct batch_input *app = create(f, "one"), *tenant = create(f, "two"), *plane = create(f, "three"),
                       *there = create(f, "four");
    app->release = NULL;
    (void)PQsetvalue(f->batch.contexts, 1, 2, NULL, -1);
    plane->plane = NULL;
    set_id(f, 3, 11, 9);
    creates_decide(&f->batch);
    check_answer(app, 422, "There is no app \\\"noop\\\"");
    check_answer(tenant, 422, "There is no tenant \\\"harbour/office\\\"");
    check_answer(plane, 422, "There is no plane \\\"main\\\"");
    check_answer(there, 409, "has an instance named \\\"four\\\" already");
    assert_non_null(strstr(there->input->answer.location, "/v1/instances/09"));
}

static void hold(struct fixture *f, struct name held, bool gone) {
    *vec_add(&f->arena, &f->batch.held, struct name) = held;
    *vec_add(&f->arena, &f->batch.gone, bool) = gone;
}

static void a_name_has_one_owner(void **state) {
    struct fixture *f = *state;
    struct batch_input *in = create(f, "one");
    claim(f, in, "one.example.org");
    in->name_claimed = false;
    hold(f, (struct name){.host = "one.example.org", .tenant_id = {{77}}, .instance_id = {{78}}}, false);
    creates_decide(&f->batch);
    check_answer(in, 409, "is taken. Choose another");
    assert_null(strstr(in->input->answer.body, "77")); /* whose it is, nobody is told */
    assert_int_equal(f->batch.base.subjects_n, 0);
}

/* Protocol section 9: the same tenant at once, another when its marker may be replaced. */
static void a_name_of_what_is_gone_is_taken_over(void **state) {
    struct fixture *f = *state;
    struct batch_input *own = create(f, "one"), *early = create(f, "two"), *late = create(f, "three");
    struct name *taken = claim(f, own, "one.example.org");
    claim(f, early, "two.example.org");
    claim(f, late, "three.example.org");
    own->name_claimed = early->name_claimed = late->name_claimed = false;
    hold(f, (struct name){.host = "one.example.org", .tenant_id = {{5}}, .instance_id = {{8}}, .serial = 3},
         true);
    hold(f, (struct name){.host = "two.example.org", .tenant_id = {{77}}, .free_at = 5000}, true);
    hold(f, (struct name){.host = "three.example.org", .tenant_id = {{77}}, .free_at = 900}, true);
    creates_decide(&f->batch);
    check_answer(own, 202, NULL);
    assert_string_equal(taken->replaces, "fairlead owner=08000000000000000000000000000000 epoch=1 serial=3");
    assert_int_equal(taken->serial, 0);
    check_answer(early, 409, "is not free yet. It will be free at 1970-01-01");
    check_answer(late, 202, NULL);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_accepted_is_made),
        TEST(two_of_one_name_do_not_share_a_batch),
        TEST(a_quota_counts_what_the_batch_has_made),
        TEST(memory_is_a_quota_too),
        TEST(what_is_not_reached_is_not_there),
        TEST(a_plane_of_another_is_not_there),
        TEST(what_is_not_there_is_named),
        TEST(a_name_has_one_owner),
        TEST(a_name_of_what_is_gone_is_taken_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
