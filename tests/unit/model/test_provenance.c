/* S8: what an image was built from is said from what was ordered; a statement about another image starts
 * none. And a manifest that is none, or has no end, is refused. */
#include "base/json.h"
#include "base/str.h"
#include "model/decide_work.h"
#include "model/manifest.h"
#include "model/provenance.h"
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C64 "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define COMMIT "1234567890123456789012345678901234567890"
#define TREE "0987654321098765432109876543210987654321"
#define IMAGE "fairlead/app-web@sha256:" A64

static const char order_text[] =
    "{\"repository\":\"https://git.example.org/"
    "app\",\"ref\":\"main\",\"path\":\"web\",\"args\":{\"A\":\"1\"},"
    "\"base\":\"fairlead/base@sha256:" C64 "\",\"commit\":\"" COMMIT "\",\"tree\":\"" TREE
    "\",\"build_key\":\"" B64 "\",\"image\":\"fairlead/app-web\"}";
static const char facts_text[] =
    "{\"image\":\"" IMAGE "\",\"image_id\":\"sha256:" B64 "\",\"commit\":\"ffff\"}";

static const char *make(const char *order, const char *facts, struct arena *arena) {
    cleanup_json json_t *o = json_loads(order, 0, NULL), *f = json_loads(facts, 0, NULL);
    assert_non_null(o);
    assert_non_null(f);
    return provenance_make(o, f, (struct uuid){.b = {1, 2}}, arena);
}

/* `with` is put in place of `what`, once. */
static const char *changed(const char *text, const char *what, const char *with, struct arena *arena) {
    const char *at = strstr(text, what);
    assert_non_null(at);
    return arena_printf(arena, "%.*s%s%s", (int)(at - text), text, with, at + strlen(what));
}

static void it_says_what_was_ordered(void **state) {
    struct arena arena = {0};
    struct err err = {0};
    struct provenance read;
    (void)state;
    const char *statement = make(order_text, facts_text, &arena);
    assert_non_null(statement);
    assert_int_equal(provenance_read(statement, IMAGE, &arena, &read, &err), 0);
    assert_string_equal(read.image_id, "sha256:" B64);
    assert_string_equal(read.source, "https://git.example.org/app");
    assert_string_equal(read.commit, COMMIT); /* of the order, whatever the builder says */
    static const char *const parts[] = {TREE, C64, "\"args\":{\"A\":\"1\"}", "urn:fairlead:node:0102",
                                        PROVENANCE_BUILD};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        assert_non_null(strstr(statement, parts[i]));
    assert_string_equal(statement, make(order_text, facts_text, &arena));
    arena_release(&arena);
}

static void who_does_not_say_which_image_it_is_gets_none(void **state) {
    struct arena arena = {0};
    (void)state;
    assert_null(make(order_text, "{\"image\":\"" IMAGE "\"}", &arena));
    assert_null(make(order_text, "{\"image\":\"" IMAGE "\",\"image_id\":\"sha256:12\"}", &arena));
    assert_null(make(order_text, "{\"image\":\"a:latest\",\"image_id\":\"sha256:" B64 "\"}", &arena));
    assert_null(make("{\"repository\":\"x\"}", facts_text, &arena));
    /* Another repository than was ordered: a builder speaks of its own work only. */
    assert_null(make(order_text, changed(facts_text, "fairlead/app-web", "fairlead/app-we", &arena), &arena));
    assert_null(
        make(order_text, changed(facts_text, "fairlead/app-web", "fairlead/app-web2", &arena), &arena));
    arena_release(&arena);
}

static void one_about_something_else_counts_for_nothing(void **state) {
    struct arena arena = {0};
    struct err err = {0};
    struct provenance read;
    (void)state;
    const char *good = make(order_text, facts_text, &arena);
    const char *const bad[] = {
        "",
        "[]",
        "{}",
        "x",
        changed(good, A64, B64, &arena),                              /* another digest */
        changed(good, "fairlead/app-web", "fairlead/app-db", &arena), /* of another repository */
        changed(good, "image-id", "image-no", &arena),                /* no id */
        changed(good, "\"gitCommit\":\"" COMMIT, "\"gitCommit\":\"", &arena),
        changed(good, "gitCommit", "gitCommot", &arena),
        changed(good, "in-toto.io/Statement/v1", "in-toto.io/Statement/v2", &arena),
        changed(good, "docker-build", "docker-pull", &arena),
        changed(good, "slsa.dev/provenance/v1", "slsa.dev/provenance/v0", &arena),
        changed(good, "\"uri\":\"https://git.example.org/app", "\"uri\":\"https://git.example.org/../app",
                &arena), /* its beginning says nothing */
        /* Two things of one name: which one would count? */
        changed(good, "\"subject\":[",
                "\"subject\":[{\"name\":\"image-id\",\"digest\":{\"sha256\":\"" C64 "\"}},", &arena),
        changed(good, "\"resolvedDependencies\":[",
                "\"resolvedDependencies\":[{\"uri\":\"x\",\"digest\":{\"gitCommit\":\"" COMMIT "\"}},",
                &arena),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err = (struct err){0};
        if (provenance_read(bad[i], IMAGE, &arena, &read, &err) == 0)
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(err.cls, ERR_PARK);
    }
    assert_int_equal(provenance_read(good, "fairlead/app-web:latest", &arena, &read, &err), -1);
    arena_release(&arena);
}

#define MEDIA "application/vnd.docker.distribution.manifest.v2+json"
#define LAYER(hex, size)                                                                                     \
    "{\"mediaType\":\"application/vnd.docker.image.rootfs.diff.tar.gzip\",\"size\":" size                    \
    ",\"digest\":\"sha256:" hex "\"}"
#define HEAD "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA "\",\"config\":"
#define CONFIG "{\"mediaType\":\"x\",\"size\":10,\"digest\":\"sha256:" A64 "\"}"

static void a_manifest_says_what_an_image_is_made_of(void **state) {
    static const char text[] = HEAD CONFIG ",\"layers\":[" LAYER(B64, "5") "," LAYER(C64, "7") "]}";
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        /* an index of several images, and a manifest of the first kind */
        "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}",
        "{\"schemaVersion\":1}",
        HEAD CONFIG ",\"layers\":[]}",
        HEAD "{}"
             ",\"layers\":[" LAYER(B64, "5") "]}",
        HEAD CONFIG ",\"layers\":[" LAYER(B64, "0") "]}",
        HEAD CONFIG ",\"layers\":[" LAYER(B64, "-5") "]}",
        HEAD CONFIG ",\"layers\":[" LAYER("12", "5") "]}",
        HEAD CONFIG
        ",\"layers\":[" LAYER("../../../../../../../../../../../../../../../../../../../../etc/x", "5") "]}",
        HEAD CONFIG ",\"layers\":[" LAYER(B64, "40000000000") "," LAYER(C64, "40000000000") "]}",
        HEAD CONFIG ",\"layers\":[" LAYER(B64, "99999999999999999999") "]}",
    };
    struct err err = {0};
    struct manifest manifest;
    (void)state;
    assert_int_equal(manifest_parse(text, strlen(text), &manifest, &err), 0);
    assert_int_equal(manifest.layers_n, 2);
    assert_int_equal(manifest.bytes, 22);
    assert_string_equal(manifest.config.digest, "sha256:" A64);
    assert_string_equal(manifest.layers[1].digest, "sha256:" C64);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (manifest_parse(bad[i], strlen(bad[i]), &manifest, &err) == 0)
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(err.cls, ERR_PARK);
    }
}

static void its_configuration_has_the_same_layers(void **state) {
    static const char text[] =
        "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" B64 "\",\"sha256:" C64 "\"]}}";
    static const char *const bad[] = {"", "{}", "{\"rootfs\":{\"diff_ids\":[\"sha256:" B64 "\"]}}",
                                      "{\"rootfs\":{\"diff_ids\":[\"sha256:" B64 "\",\"x\"]}}",
                                      "{\"rootfs\":{\"diff_ids\":[\"sha256:" B64 "\",7]}}"};
    struct arena arena = {0};
    struct err err = {0};
    const struct manifest manifest = {.layers_n = 2};
    const char **ids = NULL;
    (void)state;
    assert_int_equal(manifest_parse_config(text, strlen(text), &manifest, &arena, &ids, &err), 0);
    assert_string_equal(ids[1], "sha256:" C64);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(manifest_parse_config(bad[i], strlen(bad[i]), &manifest, &arena, &ids, &err), -1);
    arena_release(&arena);
}

static void a_stack_says_one_thing_of_an_image(void **state) {
    char web[] = "web", image[] = IMAGE;
    struct arena arena = {0};
    struct err err = {0};
    struct provenance read;
    bool known = true;
    Fairlead__V1__Stack stack = FAIRLEAD__V1__STACK__INIT;
    Fairlead__V1__KeyValue one = FAIRLEAD__V1__KEY_VALUE__INIT, said = FAIRLEAD__V1__KEY_VALUE__INIT;
    Fairlead__V1__KeyValue *images[] = {&one}, *provenance[] = {&said, &said};
    (void)state;
    one.key = said.key = web;
    one.value = image;
    said.value = (char *)(uintptr_t)make(order_text, facts_text, &arena);
    stack.images = images;
    stack.n_images = 1;
    stack.provenance = provenance;
    assert_int_equal(provenance_of(&stack, 0, &arena, &known, &read, &err), 0);
    assert_false(known);
    stack.n_provenance = 1;
    assert_int_equal(provenance_of(&stack, 0, &arena, &known, &read, &err), 0);
    assert_true(known);
    assert_string_equal(read.image_id, "sha256:" B64);
    stack.n_provenance = 2;
    assert_int_equal(provenance_of(&stack, 0, &arena, &known, &read, &err), -1);
    assert_int_equal(err.cls, ERR_PARK);
    arena_release(&arena);
}

/* What a builder of an earlier version built is asked for again by who waits since; once is enough. */
static void what_was_built_without_a_word_is_asked_again(void **state) {
    char with[] = "{\"image\":\"x\",\"provenance\":\"y\"}", without[] = "{\"image\":\"x\"}";
    struct work work = {.kind = STEP_BUILD, .state = WORK_DONE, .settled_at = 1000, .facts = without};
    (void)state;
    assert_true(work_is_stale(&work, 2000, 3000));
    assert_false(work_is_stale(&work, 500, 3000));
    work.facts = with;
    assert_false(work_is_stale(&work, 2000, 3000));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stack_says_one_thing_of_an_image),
        cmocka_unit_test(what_was_built_without_a_word_is_asked_again),
        cmocka_unit_test(it_says_what_was_ordered),
        cmocka_unit_test(who_does_not_say_which_image_it_is_gets_none),
        cmocka_unit_test(one_about_something_else_counts_for_nothing),
        cmocka_unit_test(a_manifest_says_what_an_image_is_made_of),
        cmocka_unit_test(its_configuration_has_the_same_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
