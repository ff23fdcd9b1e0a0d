/* DNS updates against a real authoritative server: compare and set, and what a refusal is (protocol section
 * 9). */
#include "base/str.h"
#include "io/dns.h"
#include "tests/support/service.h"

#include <ldns/ldns.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

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

/* Somebody else's record, added or (class ANY, without data) taken away with all of its type. */
static void put(const char *record, bool remove) {
    ldns_rr *rr = NULL;
    ldns_rr_list *none = ldns_rr_list_new(), *updates = ldns_rr_list_new();
    char algorithm[48];
    assert_int_equal(ldns_rr_new_frm_str(&rr, record, 5, NULL, NULL), LDNS_STATUS_OK);
    if (remove) {
        ldns_rr *all = ldns_rr_new();
        ldns_rr_set_owner(all, ldns_rdf_clone(ldns_rr_owner(rr)));
        ldns_rr_set_type(all, ldns_rr_get_type(rr));
        ldns_rr_set_class(all, LDNS_RR_CLASS_ANY);
        ldns_rr_set_ttl(all, 0);
        ldns_rr_free(rr);
        rr = all;
    }
    ldns_rr_list_push_rr(updates, rr);
    ldns_pkt *packet =
        ldns_update_pkt_new(ldns_dname_new_frm_str(server.zone), LDNS_RR_CLASS_IN, none, updates, NULL);
    (void)snprintf(algorithm, sizeof algorithm, "%s.", server.key_algorithm);
    ldns_pkt_set_random_id(packet);
    assert_int_equal(ldns_pkt_tsig_sign(packet, server.key_name, server.key_secret, 300, algorithm, NULL),
                     LDNS_STATUS_OK);
    ldns_buffer *buffer = ldns_buffer_new(LDNS_MAX_PACKETLEN);
    ldns_rdf *to = ldns_rdf_new_frm_str(LDNS_RDF_TYPE_A, server.address);
    size_t n = 0, answer_n = 0;
    uint8_t *answer = NULL;
    struct sockaddr_storage *at = ldns_rdf2native_sockaddr_storage(to, (uint16_t)server.port, &n);
    assert_int_equal(ldns_pkt2buffer_wire(buffer, packet), LDNS_STATUS_OK);
    assert_int_equal(
        ldns_tcp_send(&answer, buffer, at, (socklen_t)n, (struct timeval){.tv_sec = 5}, &answer_n),
        LDNS_STATUS_OK);
    assert_true(answer_n > 3 && (answer[3] & 15) == LDNS_RCODE_NOERROR);
    free(answer);
    free(at);
    ldns_rdf_deep_free(to);
    ldns_buffer_free(buffer);
    ldns_pkt_free(packet);
    ldns_rr_list_deep_free(none);
    ldns_rr_list_deep_free(updates);
}

static const char *record(const char *format) {
    return arena_printf(&arena, format, host); // NOLINT: literals below
}

/* RFC 4592: a wildcard answers for every name that is not there. */
static void what_a_wildcard_makes_up_is_nobodys(void **state) {
    struct err err;
    const char *a = arena_printf(&arena, "*.%s. 5 IN A 192.0.2.1", server.zone);
    const char *txt = arena_printf(&arena, "*.%s. 5 IN TXT \"x\"", server.zone);
    (void)state;
    put(a, false);
    put(txt, false);
    struct dns_answer answer = ask();
    int rc = change(NULL, NULL, "127.0.0.9", "fairlead one", &err);
    struct dns_answer after = ask();
    put(a, true);
    put(txt, true);
    assert_null(answer.address);
    assert_null(answer.text);
    assert_int_equal(rc, 0);
    assert_string_equal(after.address, "127.0.0.9");
    assert_string_equal(after.text, "fairlead one");
}

static void an_alias_is_seen_for_what_it_is(void **state) {
    const char *alias = record("%s. 5 IN CNAME other.example.");
    (void)state;
    put(alias, false);
    struct dns_answer answer = ask();
    put(alias, true);
    assert_string_equal(answer.alias, "other.example.");
}

static void a_name_that_holds_something_else_is_in_use(void **state) {
    struct err err;
    const char *other = record("%s. 5 IN AAAA 2001:db8::1");
    (void)state;
    put(other, false);
    int rc = change(NULL, NULL, "127.0.0.9", "one", &err);
    put(other, true);
    assert_int_equal(rc, -1);
    assert_string_equal(err.code, DNS_IN_USE);
}

/* An update below a delegation is taken, each time, and can never be read back (Knot 3.2.6). */
static void a_name_below_a_delegation_is_seen(void **state) {
    char own[192];
    const char *cut = record("%s. 5 IN NS ns.other.example.");
    (void)state;
    (void)snprintf(own, sizeof own, "%s", host);
    put(cut, false);
    (void)snprintf(host, sizeof host, "below.%.180s", own);
    struct dns_answer answer = ask();
    (void)snprintf(host, sizeof host, "%s", own);
    put(cut, true);
    assert_non_null(answer.zone_cut);
    assert_true(str_starts(answer.zone_cut, own));
    assert_null(ask().zone_cut);
}

/* A server in between that says yes to everything, on a socket of its own. */
static void an_answer_that_is_not_signed_is_no_answer(void **state) {
    struct err err = {0};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    pid_t child = fork();
    if (child == 0) {
        uint8_t question[4096], reply[14] = {0, 12};
        int client = accept(fd, NULL, NULL);
        (void)!recv(client, question, sizeof question, 0);
        memcpy(reply + 2, question + 2, 2); /* its id */
        reply[4] = 0xa8;                    /* an answer to an update, NOERROR */
        (void)!write(client, reply, sizeof reply);
        _exit(0);
    }
    struct dns_server liar = server;
    liar.port = ntohs(at.sin_port);
    struct dns_change change = {host, NULL, NULL, "127.0.0.9", "one", 5};
    assert_int_equal(dns_change(&liar, &change, &err), -1);
    assert_int_equal(err.cls, ERR_RETRY);
    assert_non_null(strstr(err.text, "not signed"));
    (void)close(fd);
    (void)waitpid(child, NULL, 0);
    assert_null(ask().address);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_was_expected_is_the_prerequisite), TEST(a_bare_address_is_adopted_only_as_it_was_read),
        TEST(a_key_that_is_refused_is_for_a_person), TEST(names_outside_the_zone_or_malformed_are_refused),
        TEST(a_server_that_is_away_may_come_back),   TEST(what_a_wildcard_makes_up_is_nobodys),
        TEST(an_alias_is_seen_for_what_it_is),       TEST(a_name_that_holds_something_else_is_in_use),
        TEST(a_name_below_a_delegation_is_seen),     TEST(an_answer_that_is_not_signed_is_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
