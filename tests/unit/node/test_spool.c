/* The last words of a node without a link: one about each thing, and all of them signed in an export. */
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "node/envelope.h"
#include "node/spool.h"
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
    struct node_identity node;
    struct arena arena;
    struct uuid stream; /* of the last export that was opened */
};

static int set_up(void **state) {
    struct fixture *f = mem_alloc(sizeof *f);
    struct err err = {0};
    (void)snprintf(f->node.state, sizeof f->node.state, "/tmp/fairlead-spool-XXXXXX");
    if (sign_init(&err) < 0 || !mkdtemp(f->node.state))
        return -1;
    sign_keys_make(&f->node.keys);
    f->node.id.b[0] = 1;
    (void)snprintf(f->node.name, sizeof f->node.name, "shaft");
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    int rc = file_remove_tree(f->node.state, NULL);
    arena_release(&f->arena);
    free(f);
    return rc;
}

/* `box`: a sealed secret of that name; NULL: none. */
static void say(const struct fixture *f, uint8_t instance, uint64_t revision, char *condition, char *box) {
    struct err err = {0};
    uint8_t id[16] = {instance};
    char kind[] = "stack";
    Fairlead__V1__Report report = FAIRLEAD__V1__REPORT__INIT;
    Fairlead__V1__DocumentReport document = FAIRLEAD__V1__DOCUMENT_REPORT__INIT;
    Fairlead__V1__SealedSecret secret = FAIRLEAD__V1__SEALED_SECRET__INIT, *secrets[] = {&secret};
    secret.name = box;
    report.body_case = FAIRLEAD__V1__REPORT__BODY_DOCUMENT;
    report.document = &document;
    document.instance = (ProtobufCBinaryData){sizeof id, id};
    document.kind = kind;
    document.revision = revision;
    document.condition = condition;
    document.recovery = secrets;
    document.n_recovery = box ? 1 : 0;
    assert_int_equal(spool_keep(f->node.state, &report, &err), 0);
}

/* Its only envelope, opened by the node's own key; the caller frees. */
static Fairlead__V1__Reports *export(struct fixture *f, size_t *ret_n) {
    struct err err = {0};
    struct keyring ring = {0};
    struct opened opened;
    size_t n;
    cleanup_json json_t *said = NULL;
    assert_int_equal(spool_export(&f->node, &said, ret_n, &err), 0);
    assert_string_equal(json_str(said, "name"), "shaft");
    const json_t *envelopes = json_object_get(said, "reports");
    if (json_array_size(envelopes) == 0)
        return NULL;
    assert_int_equal(json_array_size(envelopes), 1);
    void *bytes = sign_unbase64(json_string_value(json_array_get(envelopes, 0)), &f->arena, &n);
    assert_non_null(bytes);
    (void)keyring_add(&ring, f->node.keys.sign_public);
    assert_int_equal(envelope_open(&ring, bytes, n, &f->arena, &opened, &err), 0);
    assert_string_equal(opened.type, ENVELOPE_REPORTS);
    return fairlead__v1__reports__unpack(NULL, opened.n, opened.payload);
}

static const Fairlead__V1__DocumentReport *about(const Fairlead__V1__Reports *reports, uint8_t instance) {
    for (size_t i = 0; i < reports->n_reports; i++)
        if (reports->reports[i]->document && reports->reports[i]->document->instance.data[0] == instance)
            return reports->reports[i]->document;
    return NULL;
}

static void the_last_word_counts(void **state) {
    struct fixture *f = *state;
    size_t n;
    assert_null(export(f, &n));
    assert_int_equal(n, 0);
    char failing[] = "failing", healthy[] = "healthy", token[] = "token", key[] = "key";
    say(f, 1, 1, failing, token);
    say(f, 1, 2, healthy, key);
    say(f, 2, 1, failing, NULL);
    /* What somebody is writing, or has died over. */
    struct err err = {0};
    char path[500];
    (void)snprintf(path, sizeof path, "%s/spool/00.stack.a.tmp.77", f->node.state);
    assert_int_equal(file_write(path, "half a word", 11, 0600, &err), 0);
    Fairlead__V1__Reports *reports = export(f, &n);
    assert_int_equal(n, 2);
    assert_int_equal(reports->n_reports, 2);
    assert_string_equal(about(reports, 1)->condition, "healthy");
    assert_int_equal(about(reports, 1)->revision, 2);
    assert_int_equal(about(reports, 1)->n_recovery, 2); /* what was sealed is said once, and stays */
    assert_string_equal(about(reports, 2)->condition, "failing");
    assert_int_not_equal(reports->reports[0]->n, reports->reports[1]->n);
    fairlead__v1__reports__free_unpacked(reports, NULL);
}

/* Else each export would tell of it anew. */
static void what_was_mended_is_left_out(void **state) {
    struct fixture *f = *state;
    struct err err = {0};
    size_t n;
    uint8_t id[16] = {1};
    char kind[] = "stack", healthy[] = "healthy", drift[] = "drift", port[] = "port", value[] = "1";
    Fairlead__V1__Report report = FAIRLEAD__V1__REPORT__INIT;
    Fairlead__V1__DocumentReport document = FAIRLEAD__V1__DOCUMENT_REPORT__INIT;
    Fairlead__V1__KeyValue one = FAIRLEAD__V1__KEY_VALUE__INIT, two = FAIRLEAD__V1__KEY_VALUE__INIT,
                           *facts[] = {&one, &two};
    one.key = drift;
    two.key = port;
    one.value = two.value = value;
    report.body_case = FAIRLEAD__V1__REPORT__BODY_DOCUMENT;
    report.document = &document;
    document.instance = (ProtobufCBinaryData){sizeof id, id};
    document.kind = kind;
    document.condition = healthy;
    document.facts = facts;
    document.n_facts = 2;
    assert_int_equal(spool_keep(f->node.state, &report, &err), 0);
    Fairlead__V1__Reports *reports = export(f, &n);
    assert_int_equal(about(reports, 1)->n_facts, 1);
    assert_string_equal(about(reports, 1)->facts[0]->key, "port");
    fairlead__v1__reports__free_unpacked(reports, NULL);
}

/* Each export is above all before it, so one that is carried late changes nothing. */
static void exports_follow_each_other(void **state) {
    struct fixture *f = *state;
    size_t n;
    char healthy[] = "healthy";
    say(f, 1, 1, healthy, NULL);
    Fairlead__V1__Reports *first = export(f, &n), *second = export(f, &n);
    assert_int_equal(n, 1); /* said again: nobody knows whether the first one came */
    assert_true(memcmp(second->stream.data, first->stream.data, 16) > 0);
    fairlead__v1__reports__free_unpacked(first, NULL);
    fairlead__v1__reports__free_unpacked(second, NULL);
}

/* More than one envelope holds goes in several, each below what a request may have. */
static void many_are_parted(void **state) {
    struct fixture *f = *state;
    struct err err = {0};
    size_t n, i;
    cleanup_json json_t *said = NULL;
    json_t *envelope;
    char *long_one = mem_alloc(30001);
    memset(long_one, 'x', 30000);
    for (uint8_t instance = 1; instance <= 12; instance++)
        say(f, instance, 1, long_one, NULL);
    free(long_one);
    assert_int_equal(spool_export(&f->node, &said, &n, &err), 0);
    assert_int_equal(n, 12);
    assert_int_equal(json_array_size(json_object_get(said, "reports")), 3);
    json_array_foreach(json_object_get(said, "reports"), i, envelope)
        assert_true(strlen(json_string_value(envelope)) < 200000);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_last_word_counts),
        TEST(what_was_mended_is_left_out),
        TEST(exports_follow_each_other),
        TEST(many_are_parted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
