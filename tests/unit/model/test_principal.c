/* Who may call what (acceptance 17): scopes, and what is reached. */
#include "model/principal.h"
#include "tests/support/check.h"

static void names_are_bits(void **state) {
    (void)state;
    assert_int_equal(scope_bits("instances.read"), 1u << SCOPE_INSTANCES_READ);
    assert_int_equal(scope_bits("instances.read,access.write"),
                     1u << SCOPE_INSTANCES_READ | 1u << SCOPE_ACCESS_WRITE);
    assert_int_equal(scope_bits("*"), SCOPES_ALL);
    assert_int_equal(scope_bits(""), 0);
    assert_int_equal(scope_bits(NULL), 0);
    assert_int_equal(scope_bits("instances,instances.rea,instances.reads,INSTANCES.READ, instances.read,**"),
                     0);
}

static struct uuid id(uint8_t n) {
    return (struct uuid){{n}};
}

static void what_is_limited_reaches_its_own_alone(void **state) {
    (void)state;
    struct reach all = {0}, customer = {.customer_id = id(1)},
                 tenant = {.customer_id = id(1), .tenant_id = id(2)}, plane = {.plane_id = id(3)};
    assert_false(reach_is_limited(&all));
    assert_true(reach_is_limited(&customer));
    assert_true(reach_is_limited(&plane));
    assert_true(reach_holds(&all, id(9), id(9), id(9)));
    assert_true(reach_holds(&customer, id(1), id(9), id(9)));
    assert_false(reach_holds(&customer, id(2), id(9), id(9)));
    assert_false(reach_holds(&customer, (struct uuid){{0}}, id(9), id(9)));
    assert_true(reach_holds(&tenant, id(1), id(2), id(9)));
    assert_false(reach_holds(&tenant, id(1), id(3), id(9)));
    assert_true(reach_holds(&plane, id(9), id(9), id(3)));
    assert_false(reach_holds(&plane, id(9), id(9), id(4)));
}

/* Every route, as nobody, as who has its scope and no other, as who has every other. */
static void a_route_opens_to_its_scope_alone(void **state) {
    (void)state;
    for (int i = 0; i < ROUTE_COUNT; i++) {
        const struct route_row *row = &route_rows[i];
        bool scoped = row->scope < SCOPE_COUNT;
        struct principal with = {.scopes = scoped ? 1u << row->scope : 0},
                         without = {.scopes = SCOPES_ALL & ~with.scopes};
        assert_int_equal(route_judge(row, NULL) == ROUTE_OPEN, row->scope == SCOPE_ANYBODY);
        assert_int_equal(route_judge(row, &with), ROUTE_OPEN);
        assert_int_equal(route_judge(row, &without), scoped ? ROUTE_NO_SCOPE : ROUTE_OPEN);
        with.reach.plane_id = id(1);
        if (row->scope != SCOPE_ANYBODY)
            assert_int_equal(route_judge(row, &with), row->reach == REACH_FLEET ? ROUTE_TOO_FAR : ROUTE_OPEN);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_bits),
        cmocka_unit_test(what_is_limited_reaches_its_own_alone),
        cmocka_unit_test(a_route_opens_to_its_scope_alone),
    };
    return cmocka_run_group_tests_name("principal", tests, NULL, NULL);
}
