/* The guard of ports, against the kernel (design section 6): may run twice, finds a foreign hand, leaves
 * nothing. */
#include "base/proc.h"
#include "io/nft.h"
#include "tests/support/service.h"

#include <string.h>

#define NODE "0000000000000000005ea1c0de000000"
static const struct nft_guard guard = {.node = NODE,
                                       .address = "127.0.0.61",
                                       .port = 20000,
                                       .edge = "127.0.0.62",
                                       .edge_user = "www-data",
                                       .bridge = NULL,
                                       .door = 80,
                                       .apps = "10.212.0.0/14",
                                       .closed = "169.254.0.0/16, 192.0.2.1"};

static bool nft(const char *command) {
    const char *const argv[] = {"nft", command, NULL};
    struct proc proc = {.argv = argv, .timeout_us = 10000000};
    return proc_run(&proc, NULL) == 0 && proc.status == 0;
}

static int tear_down(void **state) {
    (void)state;
    (void)nft("delete table ip fairlead_5ea1c0de");
    return 0;
}

static void it_may_be_asked_for_twice(void **state) {
    struct err err = {0};
    (void)state;
    assert_false(nft_guard_holds(&guard));
    assert_int_equal(nft_guard_ensure(&guard, &err), 0);
    assert_int_equal(nft_guard_ensure(&guard, &err), 0);
    assert_true(nft_guard_holds(&guard));
}

static void a_foreign_hand_is_found(void **state) {
    static const char *const hands[] = {
        "delete element ip fairlead_5ea1c0de ports { 127.0.0.61 . 20000 }",
        "delete element ip fairlead_5ea1c0de edges { 127.0.0.62 . 127.0.0.61 . 20000 }",
        "flush chain ip fairlead_5ea1c0de pre",
        "flush chain ip fairlead_5ea1c0de out",
        "flush chain ip fairlead_5ea1c0de through",
        "flush chain ip fairlead_5ea1c0de in",
        "flush chain ip fairlead_5ea1c0de app_in",
        "flush chain ip fairlead_5ea1c0de app_out",
        "delete element ip fairlead_5ea1c0de doors { 127.0.0.62 . 80 }",
        "delete element ip fairlead_5ea1c0de apps { 10.212.0.0/14 }",
        "delete element ip fairlead_5ea1c0de closed { 192.0.2.1 }",
        "add element ip fairlead_5ea1c0de closed { 198.51.100.0/24 }",
        "add element ip fairlead_5ea1c0de resolvers { 192.0.2.53 }", /* not of resolv.conf */
        "delete table ip fairlead_5ea1c0de",
    };
    struct err err = {0};
    (void)state;
    for (size_t i = 0; i < sizeof hands / sizeof *hands; i++) {
        assert_int_equal(nft_guard_ensure(&guard, &err), 0);
        assert_true(nft(hands[i]));
        assert_false(nft_guard_holds(&guard));
    }
}

/* The option is the word: what it says no more is open again. */
static void networks_are_those_of_the_option(void **state) {
    struct err err = {0};
    struct nft_guard other = guard;
    (void)state;
    other.closed = "198.51.100.7/24";
    other.apps = "";
    assert_int_equal(nft_guard_ensure(&guard, &err), 0);
    assert_false(nft_guard_holds(&other));
    assert_int_equal(nft_guard_ensure(&other, &err), 0);
    assert_true(nft_guard_holds(&other));
    assert_false(nft_guard_holds(&guard));
    static const char *const bad[] = {"10.0.0.0/33",
                                      "10.0.0.0/0",
                                      "10.0.0",
                                      "fe80::/10",
                                      "all",
                                      "1.2.3.4;",
                                      "10.0.0.0/8 x",
                                      "10.0.0.0/8, 10.1.0.0/16",
                                      "192.0.2.1,192.0.2.1",
                                      "00000000000000000000000000001.2.3.4"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (nft_networks_check(bad[i], &err) == 0)
            fail_msg("\"%s\" is a list of networks", bad[i]);
    assert_int_equal(nft_networks_check("", &err), 0);
    assert_int_equal(nft_networks_check("10.0.0.0/8,192.0.2.1 , 198.51.100.0/24", &err), 0);
}

static void another_edge_replaces_the_one_before(void **state) {
    struct err err = {0};
    struct nft_guard moved = guard, longer = guard;
    (void)state;
    moved.edge = "127.0.0.63";
    longer.port = 2000; /* a part of the other's number */
    assert_int_equal(nft_guard_ensure(&guard, &err), 0);
    assert_false(nft_guard_holds(&longer));
    assert_int_equal(nft_guard_ensure(&moved, &err), 0);
    assert_true(nft_guard_holds(&moved));
    assert_false(nft_guard_holds(&guard));
}

static void it_leaves_nothing_and_its_neighbours_alone(void **state) {
    struct err err = {0};
    struct nft_guard other = guard;
    (void)state;
    other.port = 20001;
    assert_int_equal(nft_guard_remove(&guard, &err), 0); /* nothing is there */
    assert_int_equal(nft_guard_ensure(&guard, &err), 0);
    assert_int_equal(nft_guard_ensure(&other, &err), 0);
    assert_int_equal(nft_guard_remove(&guard, &err), 0);
    assert_int_equal(nft_guard_remove(&guard, &err), 0);
    assert_false(nft_guard_holds(&guard));
    assert_true(nft_guard_holds(&other));
}

static void a_user_that_is_not_there_opens_nothing(void **state) {
    struct err err = {0};
    struct nft_guard nobody = guard;
    (void)state;
    nobody.edge_user = "no-such-user";
    assert_int_equal(nft_guard_ensure(&nobody, &err), -1);
    assert_int_equal(err.cls, ERR_PARK);
    assert_non_null(strstr(err.text, "edge-user"));
}

int main(void) {
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(it_may_be_asked_for_twice),
        TEST(a_foreign_hand_is_found),
        TEST(networks_are_those_of_the_option),
        TEST(another_edge_replaces_the_one_before),
        TEST(it_leaves_nothing_and_its_neighbours_alone),
        TEST(a_user_that_is_not_there_opens_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
