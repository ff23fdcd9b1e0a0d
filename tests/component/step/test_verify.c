/* F7's false positives: whatever else may answer under a name is not taken for the instance. A real
 * authoritative server holds the name; a server of our own plays the proxy and what stands behind it. */
#include "base/str.h"
#include "io/dns.h"
#include "io/http.h"
#include "io/httpd.h"
#include "step/verify.h"
#include "tests/support/service.h"

#include <string.h>

#define IDENTITY "0123456789abcdef0123456789abcdef"
static const uint8_t owner[16] = {0xab, 1, 2, 3};

static char host[192];
static struct dns_server dns;
static struct httpd *httpd;
static struct arena arena;

/* What the server says to every path. */
static struct {
    int status;
    const char *identity, *second_identity, *edge, *location, *body;
} says;

static void answer(void *arg, struct httpd_request *request) {
    (void)arg;
    struct httpd_reply reply = {.status = says.status,
                                .type = "text/html",
                                .body = says.body,
                                .body_n = strlen(says.body),
                                .headers = {{"X-Fairlead-Identity", says.identity},
                                            {"X-Fairlead-Identity", says.second_identity},
                                            {"X-Fairlead-Edge", says.edge},
                                            {"Location", says.location}}};
    /* A header without a value would end the list. */
    size_t kept = 0;
    for (size_t i = 0; i < 4; i++)
        if (reply.headers[i][1]) {
            reply.headers[kept][0] = reply.headers[i][0];
            reply.headers[kept++][1] = reply.headers[i][1];
        }
    reply.headers[kept][0] = NULL;
    httpd_answer(request, &reply);
}

static void point_to(const char *address, const char *text) {
    struct err err = {0};
    struct dns_answer now;
    assert_int_equal(dns_ask(&dns, host, &arena, &now, &err), 0);
    struct dns_change change = {host, now.text, now.text ? NULL : now.address, address, text, 5};
    assert_int_equal(dns_change(&dns, &change, &err), 0);
}

static char marker[80];

static struct httpd_conf edge_conf(void) {
    return (struct httpd_conf){.address = "127.0.0.1",
                               .body_max = 1000,
                               .connections_max = 50,
                               .connections_per_address = 100,
                               .request_s = 5,
                               .handler = answer};
}

static int set_up(void **state) {
    struct err err = {0};
    char label[64], hex[33];
    struct httpd_conf conf = edge_conf();
    (void)state;
    service_name("verify", label);
    (void)snprintf(host, sizeof host, "%s.%s", label, service("FAIRLEAD_ZONE"));
    hex_encode(hex, owner, 16);
    (void)snprintf(marker, sizeof marker, "fairlead owner=%s epoch=1 serial=1", hex);
    if (dns_open(&dns, service("FAIRLEAD_DNS"), service("FAIRLEAD_ZONE"), service("FAIRLEAD_DNS_KEY_FILE"),
                 &err) < 0)
        return -1;
    httpd = httpd_start(&conf, &err);
    point_to("127.0.0.1", marker);
    says.status = 200;
    says.identity = IDENTITY;
    says.edge = says.location = NULL;
    says.body = "ok " IDENTITY;
    return httpd ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    point_to(NULL, "gone");
    httpd_stop(httpd);
    arena_release(&arena);
    return 0;
}

/* The code of the refusal; NULL: accepted. */
static const char *verify(void) {
    struct err err = {0};
    const char *code = NULL;
    Fairlead__V1__Probe probe;
    Fairlead__V1__Expectation expect;
    Fairlead__V1__Expectation *all[] = {&expect};
    const struct verify_dns at = {service("FAIRLEAD_DNS"), service("FAIRLEAD_ZONE")};
    fairlead__v1__probe__init(&probe);
    fairlead__v1__expectation__init(&expect);
    expect.path = "/healthz";
    expect.status = 200;
    expect.header = expect.body = "";
    expect.identity = true;
    probe.host = host;
    probe.scheme = "http";
    probe.port = (uint32_t)httpd_port(httpd);
    probe.address = "127.0.0.1";
    probe.identity = IDENTITY;
    probe.owner = (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)owner};
    probe.n_expect = 1;
    probe.expect = all;
    return verify_instance(&at, &probe, &arena, &code, &err) == 0 ? NULL : code;
}

static void the_instance_itself_is_accepted(void **state) {
    (void)state;
    assert_null(verify());
}

static void a_default_page_is_not_the_instance(void **state) {
    (void)state;
    says.identity = NULL;
    says.body = "<h1>Welcome to nginx!</h1>";
    assert_string_equal(verify(), "no_identity");
}

/* Who sends everybody's identities would be everybody. */
static void more_than_one_identity_is_none(void **state) {
    (void)state;
    says.second_identity = "fedcba9876543210fedcba9876543210";
    assert_string_equal(verify(), "wrong_identity");
    says.second_identity = IDENTITY;
    assert_string_equal(verify(), "wrong_identity");
    says.second_identity = NULL;
    says.identity = IDENTITY "fedcba9876543210";
    assert_string_equal(verify(), "wrong_identity");
}

static void nor_is_another_instance_of_the_same_app(void **state) {
    (void)state;
    says.identity = "fedcba9876543210fedcba9876543210";
    says.body = "ok fedcba9876543210fedcba9876543210";
    assert_string_equal(verify(), "wrong_identity");
}

/* The identity is made of the stack as rendered: the old container of the same instance has another. */
static void nor_is_its_own_old_container(void **state) {
    (void)state;
    says.identity = "0123456789abcdef0123456789abcdee";
    assert_string_equal(verify(), "wrong_identity");
}

static void a_502_page_with_the_right_header_is_no_proof(void **state) {
    (void)state;
    says.status = 502;
    assert_string_equal(verify(), "wrong_answer");
}

static void a_redirect_elsewhere_is_not_followed(void **state) {
    (void)state;
    says.status = 302;
    says.location = "http://127.0.0.1/";
    assert_string_equal(verify(), "wrong_answer");
    says.identity = NULL;
    assert_string_equal(verify(), "no_identity");
}

static void an_app_whose_store_is_down_is_refused(void **state) {
    (void)state;
    says.body = "<p>Error establishing a database connection</p>";
    assert_string_equal(verify(), "wrong_answer");
    says.status = 500;
    assert_string_equal(verify(), "wrong_answer");
}

static void a_name_that_points_elsewhere_is_refused(void **state) {
    (void)state;
    point_to("127.0.0.77", marker);
    assert_string_equal(verify(), "wrong_address");
    point_to(NULL, marker);
    assert_string_equal(verify(), "wrong_address");
}

static void a_name_with_the_marker_of_another_is_refused(void **state) {
    (void)state;
    point_to("127.0.0.1", "fairlead owner=ff010203000000000000000000000000 epoch=1 serial=9");
    assert_string_equal(verify(), "wrong_marker");
}

static void what_the_edge_says_of_a_link_is_told_apart(void **state) {
    (void)state;
    says.status = 502;
    says.identity = NULL;
    says.edge = "no connection";
    assert_string_equal(verify(), "no_connection");
    says.edge = "no answer";
    assert_string_equal(verify(), "no_answer");
}

static void nobody_at_the_edge_is_unreachable(void **state) {
    struct err err = {0};
    struct httpd_conf conf = edge_conf();
    (void)state;
    conf.port = httpd_port(httpd);
    httpd_stop(httpd);
    httpd = NULL;
    Fairlead__V1__Probe probe;
    Fairlead__V1__Expectation expect, *all[] = {&expect};
    const struct verify_dns at = {service("FAIRLEAD_DNS"), service("FAIRLEAD_ZONE")};
    const char *code = NULL;
    fairlead__v1__probe__init(&probe);
    fairlead__v1__expectation__init(&expect);
    expect.path = "/";
    expect.status = 200;
    probe.host = host;
    probe.scheme = "http";
    probe.port = (uint32_t)conf.port;
    probe.address = "127.0.0.1";
    probe.identity = IDENTITY;
    probe.n_expect = 1;
    probe.expect = all;
    assert_int_equal(verify_instance(&at, &probe, &arena, &code, &err), -1);
    assert_string_equal(code, "unreachable");
    httpd = httpd_start(&conf, &err);
    assert_non_null(httpd);
}

int main(void) {
    http_init();
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_instance_itself_is_accepted),
        TEST(a_default_page_is_not_the_instance),
        TEST(more_than_one_identity_is_none),
        TEST(nor_is_another_instance_of_the_same_app),
        TEST(nor_is_its_own_old_container),
        TEST(a_502_page_with_the_right_header_is_no_proof),
        TEST(a_redirect_elsewhere_is_not_followed),
        TEST(an_app_whose_store_is_down_is_refused),
        TEST(a_name_that_points_elsewhere_is_refused),
        TEST(a_name_with_the_marker_of_another_is_refused),
        TEST(what_the_edge_says_of_a_link_is_told_apart),
        TEST(nobody_at_the_edge_is_unreachable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
