/* What nodes may with Kafka follows from their rows: their own topic, the orders of their roles, and reports;
 * nothing of another's (acceptance 16). */
#include "base/str.h"
#include "coordinator/rights.h"
#include "model/tables.h"
#include "tests/support/check.h"

static struct arena arena;

static int tear_down(void **state) {
    (void)state;
    arena_release(&arena);
    return 0;
}

static struct vec of(unsigned roles, int64_t enrolment, bool revoked) {
    struct vec rights = {0};
    const struct rights_node node = {.id = {{7}}, .enrolment = enrolment, .roles = roles, .revoked = revoked};
    rights_of_node(&node, &arena, &rights);
    return rights;
}

static bool may(const struct vec *rights, enum kright_of of, const char *name, enum kright_act act) {
    for (size_t i = 0; i < rights->n; i++) {
        const struct kright *right = vec_at(rights, struct kright, i);
        assert_false(right->prefixed);
        if (right->of == of && str_eq(right->name, name) && right->act == act && !right->deny)
            return true;
    }
    return false;
}

#define OWN "fairlead.node.07000000000000000000000000000000"
static void a_node_may_what_its_roles_ask_for(void **state) {
    (void)state;
    struct vec host = of(ROLE_HOST, 1, false), builder = of(ROLE_BUILDER | ROLE_DNS, 1, false);
    assert_true(may(&host, KRIGHT_TOPIC, OWN, KRIGHT_READ));
    assert_false(may(&host, KRIGHT_TOPIC, OWN, KRIGHT_WRITE));
    assert_true(may(&host, KRIGHT_TOPIC, "fairlead.reports", KRIGHT_WRITE));
    assert_false(may(&host, KRIGHT_TOPIC, "fairlead.reports", KRIGHT_READ));
    assert_false(may(&host, KRIGHT_TOPIC, "fairlead.events", KRIGHT_READ));
    for (int i = 0; i < order_rows_n; i++) {
        char group[ORDER_GROUP_SIZE];
        const struct order_row *row = &order_rows[i];
        bool builds = row->role == ROLE_BUILDER || row->role == ROLE_DNS || row->role == ROLE_ANY;
        assert_int_equal(may(&host, KRIGHT_TOPIC, row->topic, KRIGHT_READ), row->role == ROLE_ANY);
        assert_int_equal(may(&builder, KRIGHT_TOPIC, row->topic, KRIGHT_READ), builds);
        assert_int_equal(may(&builder, KRIGHT_GROUP, order_group(row, group), KRIGHT_READ), builds);
        assert_false(may(&builder, KRIGHT_TOPIC, row->topic, KRIGHT_WRITE));
    }
}

/* An agent reads its plane and its customer's tenants, whatever its roles are; it is given no orders. */
static void an_agent_reads_its_tenants_and_no_orders(void **state) {
    (void)state;
    struct vec rights = {0};
    const struct rights_node agent = {.id = {{7}},
                                      .enrolment = 1,
                                      .roles = ROLE_HOST | ROLE_EDGE | ROLE_PROBER,
                                      .private_plane = {{9}},
                                      .tenants = "fairlead.tenant.1,fairlead.tenant.2"};
    rights_of_node(&agent, &arena, &rights);
    static const char *const topics[] = {"fairlead.plane.09000000000000000000000000000000",
                                         "fairlead.tenant.1", "fairlead.tenant.2"};
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        assert_true(may(&rights, KRIGHT_TOPIC, topics[i], KRIGHT_READ) &&
                    may(&rights, KRIGHT_TOPIC, topics[i], KRIGHT_DESCRIBE));
    assert_true(may(&rights, KRIGHT_TOPIC, "fairlead.reports", KRIGHT_WRITE));
    assert_int_equal(rights.n, 8); /* and nothing else */
}

static void who_was_revoked_may_nothing(void **state) {
    (void)state;
    struct vec rights = of(ROLE_HOST | ROLE_BUILDER, 3, true);
    assert_int_equal(rights.n, 2);
    for (size_t i = 0; i < rights.n; i++) {
        const struct kright *right = vec_at(&rights, struct kright, i);
        assert_true(right->deny && right->act == KRIGHT_ALL && str_eq(right->name, "*"));
        assert_string_equal(right->principal, "node.07000000000000000000000000000000.3");
    }
}

static void rights_become_what_is_wanted(void **state) {
    (void)state;
    struct vec wanted = of(ROLE_HOST, 2, false), have = of(ROLE_HOST, 1, false), give = {0}, take = {0};
    size_t n = wanted.n;
    rights_compare(&wanted, &have, &arena, &give, &take);
    assert_int_equal(give.n, n); /* another enrolment is another principal */
    assert_int_equal(take.n, n);
    struct vec same = of(ROLE_HOST, 2, false), none = {0}, no_give = {0}, no_take = {0};
    rights_compare(&wanted, &same, &arena, &no_give, &no_take);
    assert_int_equal(no_give.n + no_take.n, 0);
    struct vec more = of(ROLE_HOST | ROLE_BUILDER, 2, false), taken = {0};
    rights_compare(&wanted, &more, &arena, &no_give, &taken);
    assert_int_equal(no_give.n, 0);
    assert_int_equal(taken.n, 6); /* two topics to read and describe, two groups */
    rights_compare(&none, &none, &arena, &no_give, &no_take);
    assert_int_equal(no_give.n + no_take.n, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_may_what_its_roles_ask_for),
        cmocka_unit_test(an_agent_reads_its_tenants_and_no_orders),
        cmocka_unit_test(who_was_revoked_may_nothing),
        cmocka_unit_test(rights_become_what_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
