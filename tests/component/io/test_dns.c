/* DNS updates against a real authoritative server: compare and set, and what a refusal is (protocol section
 * 9). */
#include "base/str.h"
#include "io/dns.h"
#include "tests/support/service.h"

#include <string.h>

static char host[192];
static struct dns_server server;
static struct arena arena;

static struct dns_answer ask(void) {
    struct err err = {0};
    struct dns_answer answer = {0};
    assert_int_equal(dns_ask(&server, host, &arena, &answer, &err), 0);
    return answer;
}

static int change(const char *expect, const char *expect_address, const char *address, const char *text,
                  struct err *err) {
    struct dns_change change = {host, expect, expect_address, address, text, 5};
    *err = (struct err){0};
    return dns_change(&server, &change, err);
}

static int set_up(void **state) {
    struct err err = {0};
    char label[64];
    (void)state;
    service_name("component", label);
    (void)snprintf(host, sizeof host, "%s.%s", label, service("FAIRLEAD_ZONE"));
    return dns_open(&server, service("FAIRLEAD_DNS"), service("FAIRLEAD_ZONE"),
                    service("FAIRLEAD_DNS_KEY_FILE"), &err);
}

static int tear_down(void **state) {
    struct err err;
    (void)state;
    struct dns_answer answer = ask();
    if (answer.text)
        (void)change(answer.text, NULL, NULL, "gone", &err);
    arena_release(&arena);
    return 0;
}

static void what_was_expected_is_the_prerequisite(void **state) {
    struct err err;
    (void)state;
    assert_int_equal(change(NULL, NULL, "127.0.0.9", "one", &err), 0);
    assert_string_equal(ask().address, "127.0.0.9");
    assert_true(ask().authoritative);
    assert_int_equal(change(NULL, NULL, "127.0.0.8", "two", &err), -1); /* the name is in use */
    assert_int_equal(err.cls, ERR_RETRY);
    assert_int_equal(change("three", NULL, "127.0.0.8", "two", &err), -1); /* another text is there */
    assert_int_equal(change("one", NULL, "127.0.0.8", "two", &err), 0);
    assert_string_equal(ask().text, "two");
    assert_int_equal(change("two", NULL, NULL, "three", &err), 0); /* the address goes, the marker stays */
    assert_null(ask().address);
    assert_string_equal(ask().text, "three");
}

static void a_bare_address_is_adopted_only_as_it_was_read(void **state) {
    struct err err;
    (void)state;
    assert_int_equal(change(NULL, NULL, "127.0.0.9", "one", &err), 0);
    assert_int_equal(change(NULL, "127.0.0.9", "127.0.0.9", "two", &err), -1); /* it has a text */
    assert_int_equal(err.cls, ERR_RETRY);
}

static void a_key_that_is_refused_is_for_a_person(void **state) {
    struct err err;
    struct dns_server good = server;
    (void)state;
    (void)snprintf(server.key_secret, sizeof server.key_secret,
                   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    assert_int_equal(change(NULL, NULL, "127.0.0.9", "one", &err), -1);
    assert_int_equal(err.cls, ERR_PARK);
    server = good;
    assert_null(ask().address);
}

static void names_outside_the_zone_or_malformed_are_refused(void **state) {
    static const char *const hosts[] = {"example.org", "a..b", "", ".", "*", "a\\000b.example"};
    struct err err;
    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct dns_change wrong = {hosts[i], NULL, NULL, "127.0.0.9", "one", 5};
        err = (struct err){0};
        assert_int_equal(dns_change(&server, &wrong, &err), -1);
        assert_true(err.cls == ERR_PARK || err.cls == ERR_RETRY);
    }
}

static void a_server_that_is_away_may_come_back(void **state) {
    struct err err = {0};
    struct dns_server away = server;
    struct dns_answer answer;
    (void)state;
    away.port = 1;
    assert_int_equal(dns_ask(&away, host, &arena, &answer, &err), -1);
    assert_int_equal(err.cls, ERR_RETRY);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_was_expected_is_the_prerequisite), TEST(a_bare_address_is_adopted_only_as_it_was_read),
        TEST(a_key_that_is_refused_is_for_a_person), TEST(names_outside_the_zone_or_malformed_are_refused),
        TEST(a_server_that_is_away_may_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
