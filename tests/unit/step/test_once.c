/* Tasks are begun at most once, whatever happens in between (design section 2); a certificate takes the place
 * of the one before only when it is for that key and those names. */
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "io/sign.h"
#include "step/step.h"
#include "tests/support/check.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
    char state[64];
    struct node_identity node;
    struct step_machine machine;
    struct arena arena;
};

static int set_up(void **state) {
    struct fixture *f = mem_alloc(sizeof *f);
    (void)snprintf(f->state, sizeof f->state, "/tmp/fairlead-once-XXXXXX");
    if (!mkdtemp(f->state))
        return -1;
    f->machine = (struct step_machine){.node = &f->node, .state = f->state};
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    int rc = file_remove_tree(f->state, NULL);
    arena_release(&f->arena);
    free(f);
    return rc;
}

static uint8_t instance[16] = {5}, id[16] = {7};

static struct result run(struct fixture *f, const struct step *step, const void *content, size_t n,
                         bool absent) {
    Fairlead__V1__Document document = FAIRLEAD__V1__DOCUMENT__INIT;
    struct keeper_outcome outcome = {.arena = &f->arena};
    document.instance = (ProtobufCBinaryData){sizeof instance, instance};
    document.content = (ProtobufCBinaryData){n, (uint8_t *)(uintptr_t)content};
    document.absent = absent;
    struct step_context ctx = step_context_of(&f->machine, &document, &outcome);
    step_run(step, &ctx);
    str_release(&outcome.result.log);
    return outcome.result;
}

static struct result run_task(struct fixture *f, int64_t until, bool known, bool absent) {
    uint8_t packed[128];
    Fairlead__V1__Task task = FAIRLEAD__V1__TASK__INIT;
    Fairlead__V1__Noop noop = FAIRLEAD__V1__NOOP__INIT;
    task.id = (ProtobufCBinaryData){sizeof id, id};
    task.not_begun_after_us = until;
    if (known) {
        task.work_case = FAIRLEAD__V1__TASK__WORK_NOOP;
        task.noop = &noop;
    }
    return run(f, &step_task, packed, fairlead__v1__task__pack(&task, packed), absent);
}

static const char *marker(const struct fixture *f) {
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/tasks/07000000000000000000000000000000.json", f->state);
    return path;
}

static void a_task_is_done_once(void **state) {
    struct fixture *f = *state;
    assert_int_equal(run_task(f, 0, true, false).class, RESULT_IS_OK);
    assert_true(file_exists(marker(f)));
    /* Asked again long after its time: it is done, and nothing is begun. */
    assert_int_equal(run_task(f, 1, true, false).class, RESULT_IS_OK);
}

static void a_task_that_comes_too_late_is_not_begun(void **state) {
    struct fixture *f = *state;
    struct result result = run_task(f, clock_wall_us() - CLOCK_S, true, false);
    assert_int_equal(result.class, RESULT_IS_PARK);
    assert_string_equal(result.code, "expired");
    assert_false(file_exists(marker(f)));
    assert_int_equal(run_task(f, clock_wall_us() + 60 * CLOCK_S, true, false).class, RESULT_IS_OK);
}

/* P4: killed while it worked, it may have done anything: only a person knows, so it is not begun again. */
static void a_task_that_was_cut_short_is_not_begun_again(void **state) {
    struct fixture *f = *state;
    static const char begun[] = "{\"at\":\"2026-01-01T00:00:00Z\",\"end\":null}";
    char folder[128];
    struct err err = {0};
    (void)snprintf(folder, sizeof folder, "%s/tasks", f->state);
    assert_int_equal(file_mkdirs(folder, 0700, &err), 0);
    assert_int_equal(file_write(marker(f), begun, strlen(begun), 0600, &err), 0);
    for (int i = 0; i < 2; i++) {
        struct result result = run_task(f, 0, true, false);
        assert_int_equal(result.class, RESULT_IS_PARK);
        assert_string_equal(result.code, "interrupted");
        assert_non_null(strstr(result.text, "2026-01-01"));
    }
}

static void what_failed_stays_failed(void **state) {
    struct fixture *f = *state;
    assert_string_equal(run_task(f, 0, false, false).code, "unknown_task");
    struct result again = run_task(f, 0, false, false);
    assert_int_equal(again.class, RESULT_IS_PARK);
    assert_string_equal(again.code, "task_failed");
    assert_non_null(strstr(again.text, "must be updated"));
}

static void an_absent_task_leaves_no_marker(void **state) {
    struct fixture *f = *state;
    (void)run_task(f, 0, true, false);
    assert_int_equal(run_task(f, 0, true, true).class, RESULT_IS_OK);
    assert_false(file_exists(marker(f)));
    assert_int_equal(run_task(f, 0, true, true).class, RESULT_IS_OK);
}

static void a_task_that_cannot_be_read_is_refused(void **state) {
    struct fixture *f = *state;
    assert_string_equal(run(f, &step_task, "\xff\xff", 2, false).code, "bad_document");
    assert_string_equal(run(f, &step_task, "", 0, false).code, "bad_document"); /* no identity */
}

/* ---- certificates ---- */

struct made {
    EVP_PKEY *key;
    uint8_t hash[32];
    char *pem;
};

/* Signed by itself, for one name, for so many seconds from now. */
static struct made make_certificate(const char *name, long seconds) {
    struct made made = {.key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")};
    X509 *x = X509_new();
    char alt[128], *data = NULL;
    uint8_t *info = NULL;
    (void)snprintf(alt, sizeof alt, "DNS:%s", name);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(x), -1000000);
    (void)X509_gmtime_adj(X509_getm_notAfter(x), seconds);
    (void)X509_set_version(x, 2);
    (void)X509_set_pubkey(x, made.key);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alt);
    (void)X509_add_ext(x, extension, -1);
    (void)X509_sign(x, made.key, EVP_sha256());
    int info_n = i2d_PUBKEY(made.key, &info);
    (void)EVP_Digest(info, (size_t)info_n, made.hash, NULL, EVP_sha256(), NULL);
    BIO *bio = BIO_new(BIO_s_mem());
    (void)PEM_write_bio_X509(bio, x);
    long n = BIO_get_mem_data(bio, &data);
    made.pem = mem_alloc((size_t)n + 1);
    memcpy(made.pem, data, (size_t)n);
    (void)BIO_free(bio);
    OPENSSL_free(info);
    X509_EXTENSION_free(extension);
    X509_free(x);
    return made;
}

static void release(struct made *made) {
    EVP_PKEY_free(made->key);
    free(made->pem);
}

static struct result run_certificate(struct fixture *f, char *name, const uint8_t hash[32], char *chain,
                                     bool absent) {
    char *names[] = {name};
    Fairlead__V1__Certificate certificate = FAIRLEAD__V1__CERTIFICATE__INIT;
    certificate.n_names = 1;
    certificate.names = names;
    certificate.public_key_sha256 = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)hash};
    certificate.chain = chain;
    size_t n = fairlead__v1__certificate__get_packed_size(&certificate);
    uint8_t *packed = arena_alloc(&f->arena, n);
    fairlead__v1__certificate__pack(&certificate, packed);
    return run(f, &step_certificate, packed, n, absent);
}

static void a_chain_is_kept_as_it_came(void **state) {
    struct fixture *f = *state;
    char name[] = "app.example.org", hex[65], path[256];
    struct made made = make_certificate(name, 3600);
    struct err err = {0};
    assert_int_equal(run_certificate(f, name, made.hash, made.pem, false).class, RESULT_IS_OK);
    hex_encode(hex, made.hash, 32);
    (void)snprintf(path, sizeof path, "%s/certificates/%s.pem", f->state, hex);
    cleanup_free char *text = NULL;
    assert_int_equal(file_read(path, 65536, &text, NULL, &err), 0);
    assert_string_equal(text, made.pem);
    assert_int_equal(file_write(path, "x", 1, 0600, &err), 0); /* a foreign hand */
    assert_int_equal(run_certificate(f, name, made.hash, made.pem, false).class, RESULT_IS_OK);
    cleanup_free char *mended = NULL;
    assert_int_equal(file_read(path, 65536, &mended, NULL, &err), 0);
    assert_string_equal(mended, made.pem);
    assert_int_equal(run_certificate(f, name, made.hash, made.pem, true).class, RESULT_IS_OK);
    assert_false(file_exists(path));
    release(&made);
}

static void a_chain_for_something_else_is_refused(void **state) {
    struct fixture *f = *state;
    char name[] = "app.example.org", other[] = "other.example.org", nothing[] = "no certificate";
    struct made made = make_certificate(name, 3600), ended = make_certificate(name, -10),
                stranger = make_certificate(name, 3600);
    assert_non_null(strstr(run_certificate(f, other, made.hash, made.pem, false).text, "not good for"));
    assert_non_null(strstr(run_certificate(f, name, stranger.hash, made.pem, false).text, "another key"));
    assert_non_null(strstr(run_certificate(f, name, ended.hash, ended.pem, false).text, "has ended"));
    struct result result = run_certificate(f, name, made.hash, nothing, false);
    assert_string_equal(result.code, "bad_certificate");
    assert_int_equal(result.class, RESULT_IS_PARK);
    release(&made);
    release(&ended);
    release(&stranger);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_task_is_done_once),
        TEST(a_task_that_comes_too_late_is_not_begun),
        TEST(a_task_that_was_cut_short_is_not_begun_again),
        TEST(what_failed_stays_failed),
        TEST(an_absent_task_leaves_no_marker),
        TEST(a_task_that_cannot_be_read_is_refused),
        TEST(a_chain_is_kept_as_it_came),
        TEST(a_chain_for_something_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
