/* Certificates of our own authority: they say what we say, for a key that whoever asks has proved to hold
 * (acceptance 14). */
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/cert.h"
#include "tests/support/check.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static struct cert_issuer root, issuing;
static int64_t now;

static void make_issuing(const struct cert_issuer *above, struct cert_issuer *ret) {
    struct err err = {0};
    cleanup_free char *request = NULL;
    const struct cert_wish wish = {CERT_ISSUING, "authority",   "issuing",
                                   NULL,         now - CLOCK_S, now + 900 * CLOCK_S};
    assert_int_equal(cert_key_make(&ret->key, &err), 0);
    assert_int_equal(cert_request_make(ret->key, &request, &err), 0);
    assert_int_equal(cert_issue(above, request, &wish, &ret->chain, &err), 0);
}

static int set_up(void **state) {
    struct err err = {0};
    (void)state;
    now = clock_wall_us();
    const struct cert_wish wish = {CERT_ROOT, "authority", "root", NULL, now - CLOCK_S, now + 900 * CLOCK_S};
    if (cert_key_make(&root.key, &err) < 0 || cert_root_make(root.key, &wish, &root.chain, &err) < 0)
        return -1;
    make_issuing(&root, &issuing);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    cert_issuer_release(&root);
    cert_issuer_release(&issuing);
    return 0;
}

static char *issue(const char *key, enum cert_use use, int64_t from_us, int64_t until_us) {
    struct err err = {0};
    cleanup_free char *request = NULL;
    char *chain = NULL;
    const char *const hosts[] = {"broker.test", "127.0.0.1", "::1", NULL};
    const struct cert_wish wish = {use,     "nodes", "node.1", use == CERT_SERVER ? hosts : NULL,
                                   from_us, until_us};
    assert_int_equal(cert_request_make(key, &request, &err), 0);
    assert_int_equal(cert_issue(&issuing, request, &wish, &chain, &err), 0);
    return chain;
}

static void a_certificate_says_what_we_say(void **state) {
    struct err err = {0};
    struct cert_facts facts;
    cleanup_free char *key = NULL;
    (void)state;
    assert_int_equal(cert_key_make(&key, &err), 0);
    cleanup_free char *chain = issue(key, CERT_CLIENT, now - 5 * CLOCK_S, now + 60 * CLOCK_S);
    assert_int_equal(cert_check(chain, root.chain, key, &err), 0);
    assert_int_equal(cert_read(chain, &facts, &err), 0);
    assert_string_equal(facts.name, "node.1");
    assert_string_equal(facts.unit, "nodes");
    assert_int_equal(strlen(facts.serial), 32);
    assert_int_equal(strlen(facts.fingerprint), 64);
    assert_int_equal(facts.until_us / CLOCK_S, now / CLOCK_S + 60);
    cleanup_free char *again = issue(key, CERT_CLIENT, now - 5 * CLOCK_S, now + 60 * CLOCK_S);
    struct cert_facts other;
    assert_int_equal(cert_read(again, &other, &err), 0);
    assert_string_not_equal(facts.serial, other.serial);
}

static X509 *first_of(const char *chain) {
    BIO *bio = BIO_new_mem_buf(chain, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(certificate);
    return certificate;
}

/* Subject and extensions that a request asks for: an authority, the coordinator's name. */
static char *greedy_request(EVP_PKEY *key) {
    X509_REQ *request = X509_REQ_new();
    X509_NAME *name = X509_REQ_get_subject_name(request);
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const uint8_t *)"programs", -1, -1, 0), 1);
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"coordinator", -1, -1, 0), 1);
    sk_X509_EXTENSION_push(extensions,
                           X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE"));
    sk_X509_EXTENSION_push(extensions,
                           X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:broker.test"));
    assert_int_equal(X509_REQ_add_extensions(request, extensions), 1);
    assert_int_equal(X509_REQ_set_pubkey(request, key), 1);
    assert_true(X509_REQ_sign(request, key, EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509_REQ(bio, request), 1);
    long n = BIO_get_mem_data(bio, &data);
    char *text = mem_alloc((size_t)n + 1);
    memcpy(text, data, (size_t)n);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    X509_REQ_free(request);
    BIO_free(bio);
    return text;
}

static void of_a_request_only_its_key_counts(void **state) {
    struct err err = {0};
    struct cert_facts facts;
    cleanup_free char *chain = NULL;
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    cleanup_free char *request = greedy_request(key);
    const struct cert_wish wish = {CERT_CLIENT, "nodes", "node.2", NULL, now - CLOCK_S, now + 60 * CLOCK_S};
    assert_int_equal(cert_issue(&issuing, request, &wish, &chain, &err), 0);
    assert_int_equal(cert_read(chain, &facts, &err), 0);
    assert_string_equal(facts.name, "node.2");
    assert_string_equal(facts.unit, "nodes");
    X509 *certificate = first_of(chain);
    assert_int_equal(X509_check_ca(certificate), 0);
    assert_int_equal(X509_check_host(certificate, "broker.test", 0, 0, NULL), 0);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void is_refused(EVP_PKEY *key) {
    struct err err = {0};
    assert_non_null(key);
    cleanup_free char *request = greedy_request(key);
    assert_int_equal(cert_request_check(request, &err), -1);
    assert_int_equal(err.cls, ERR_DEAD);
    EVP_PKEY_free(key);
}

static void a_key_that_is_weak_huge_or_another_kind_is_refused(void **state) {
    (void)state;
    is_refused(EVP_RSA_gen(1024));
    is_refused(EVP_RSA_gen(2048));
    is_refused(EVP_EC_gen("P-224"));
    is_refused(EVP_EC_gen("P-521"));
    is_refused(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
}

/* Each bit of the proof counts. */
static void a_request_that_was_changed_is_refused(void **state) {
    struct err err = {0};
    cleanup_free char *key = NULL, *request = NULL;
    (void)state;
    assert_int_equal(cert_key_make(&key, &err), 0);
    assert_int_equal(cert_request_make(key, &request, &err), 0);
    assert_int_equal(cert_request_check(request, &err), 0);
    char *body = strchr(request, '\n') + 1;
    for (size_t i = 0; i < 200; i += 3) {
        char was = body[i];
        if (was == '\n')
            continue;
        body[i] = was == 'A' ? 'B' : 'A';
        assert_int_equal(cert_request_check(request, &err), -1);
        body[i] = was;
    }
    assert_int_equal(cert_request_check("", &err), -1);
    assert_int_equal(cert_request_check("-----BEGIN CERTIFICATE REQUEST-----\n", &err), -1);
    cleanup_free char *huge = mem_alloc(CERT_REQUEST_MAX + 2);
    memset(huge, 'A', CERT_REQUEST_MAX + 1);
    assert_int_equal(cert_request_check(huge, &err), -1);
}

static void who_is_not_good_is_not_believed(void **state) {
    struct err err = {0};
    cleanup_free char *key = NULL, *other_key = NULL, *other_root = NULL;
    (void)state;
    assert_int_equal(cert_key_make(&key, &err), 0);
    assert_int_equal(cert_key_make(&other_key, &err), 0);
    cleanup_free char *good = issue(key, CERT_CLIENT, now - 5 * CLOCK_S, now + 60 * CLOCK_S);
    cleanup_free char *ended = issue(key, CERT_CLIENT, now - 60 * CLOCK_S, now - 5 * CLOCK_S);
    cleanup_free char *early = issue(key, CERT_CLIENT, now + 60 * CLOCK_S, now + 90 * CLOCK_S);
    const struct cert_wish wish = {CERT_ROOT, "authority", "root", NULL, now - CLOCK_S, now + 900 * CLOCK_S};
    assert_int_equal(cert_root_make(other_key, &wish, &other_root, &err), 0);
    assert_int_equal(cert_check(good, root.chain, key, &err), 0);
    assert_int_equal(cert_check(good, root.chain, other_key, &err), -1);
    assert_int_equal(cert_check(good, other_root, key, &err), -1);
    assert_int_equal(cert_check(ended, root.chain, key, &err), 0); /* for others to judge */
    assert_int_equal(cert_check(early, root.chain, key, &err), 0);
    assert_int_equal(cert_check("", root.chain, key, &err), -1);
    /* A node's certificate signs nobody: it is no authority. */
    struct cert_issuer node = {.key = mem_strdup(key), .chain = mem_strdup(good)};
    cleanup_free char *request = NULL, *below = NULL;
    const struct cert_wish client = {CERT_CLIENT, "nodes", "node.3", NULL, now - CLOCK_S, now + 60 * CLOCK_S};
    assert_int_equal(cert_request_make(other_key, &request, &err), 0);
    if (cert_issue(&node, request, &client, &below, &err) == 0)
        assert_int_equal(cert_check(below, root.chain, other_key, &err), -1);
    cert_issuer_release(&node);
}

static void a_server_has_its_hosts(void **state) {
    struct err err = {0};
    cleanup_free char *key = NULL;
    (void)state;
    assert_int_equal(cert_key_make(&key, &err), 0);
    cleanup_free char *chain = issue(key, CERT_SERVER, now - CLOCK_S, now + 60 * CLOCK_S);
    X509 *certificate = first_of(chain);
    assert_int_equal(X509_check_host(certificate, "broker.test", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(certificate, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(certificate, "::1", 0), 1);
    assert_int_equal(X509_check_ip_asc(certificate, "127.0.0.2", 0), 0);
    X509_free(certificate);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_says_what_we_say),
        cmocka_unit_test(of_a_request_only_its_key_counts),
        cmocka_unit_test(a_key_that_is_weak_huge_or_another_kind_is_refused),
        cmocka_unit_test(a_request_that_was_changed_is_refused),
        cmocka_unit_test(who_is_not_good_is_not_believed),
        cmocka_unit_test(a_server_has_its_hosts),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
