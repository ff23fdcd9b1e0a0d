/* Which commit a release is: its works, their keys, and when a source is asked again. What is not well in a
 * release is said before it is registered. */
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "model/decide_work.h"
#include "model/source.h"
#include "model/template.h"
#include "tests/support/check.h"

#include <string.h>

static const char template[] =
    "services:\n  web:\n    user: \"10100\"\n    healthcheck: {test: [\"CMD\", \"/health\"]}\n";

static json_t *spec_of(const char *source, const char *secrets, const char *expect) {
    cleanup_free char *text = NULL;
    assert_true(
        asprintf(&text,
                 "{\"title\":\"T\",\"summary\":\"S\",\"version\":\"1\",\"images\":{\"web\":{"
                 "\"repository\":\"app\",\"path\":\"web\"%s}},\"services\":{\"web\":{\"image\":\"web\","
                 "\"memory_share\":100,\"cpu_share\":100}},\"secrets\":{%s},\"health\":{\"service\":"
                 "\"web\",\"port\":8080,\"expect\":[{\"path\":\"/healthz\",\"identity\":true},%s]}}",
                 source, secrets, expect) > 0);
    json_t *spec = json_loads(text, 0, NULL);
    assert_non_null(spec);
    return spec;
}

static struct release *release_of(uint8_t id, const char *source) {
    struct err err = {0};
    cleanup_json json_t *spec = spec_of(source, "", "{\"path\":\"/\"}");
    struct release *release = release_parse((struct uuid){{id}}, "app", NULL, spec, template, &err);
    if (!release)
        fail_msg("%s", err.text);
    return release;
}

static bool same_resolve(struct release *a, struct release *b) {
    struct arena arena = {0};
    bool same = str_eq(source_resolve_key(a, "web", &arena), source_resolve_key(b, "web", &arena));
    arena_release(&arena);
    release_free(a);
    release_free(b);
    return same;
}

/* F1: a source that is pinned belongs to its release; one that is followed, to whoever names it. */
static void releases_share_only_what_they_follow(void **state) {
    (void)state;
    assert_false(same_resolve(release_of(1, ""), release_of(2, "")));
    assert_true(same_resolve(release_of(1, ""), release_of(1, "")));
    assert_true(same_resolve(release_of(1, ",\"follow\":true"), release_of(2, ",\"follow\":true")));
    assert_false(same_resolve(release_of(1, ",\"follow\":true"),
                              release_of(1, ",\"follow\":true,\"dockerfile\":\"web/other\"")));
}

static const char *build_key(const char *source, const char *facts, const char *base, struct arena *arena) {
    struct release *release = release_of(1, source);
    cleanup_json json_t *resolved = json_loads(facts, 0, NULL);
    const char *key = source_build_key(release, "web", resolved, base, arena);
    release_free(release);
    return key;
}

#define FACTS(commit, tree, dockerfile)                                                                      \
    "{\"commit\":\"" commit "\",\"tree\":\"" tree "\",\"dockerfile\":\"" dockerfile "\"}"

/* F2: the same key is the same image, so all that goes in is in it. */
static void all_that_a_build_reads_is_in_its_key(void **state) {
    struct arena arena = {0};
    (void)state;
    const char *key = build_key("", FACTS("c", "t", "d"), "base", &arena);
    assert_int_equal(strlen(key), strlen("build:") + 64);
    assert_string_equal(key, build_key("", FACTS("c", "t", "d"), "base", &arena));
    assert_string_not_equal(key, build_key("", FACTS("x", "t", "d"), "base", &arena));
    assert_string_not_equal(key, build_key("", FACTS("c", "x", "d"), "base", &arena));
    assert_string_not_equal(key, build_key("", FACTS("c", "t", "d"), "newer", &arena));
    assert_string_not_equal(key, build_key(",\"args\":{\"A\":\"1\"}", FACTS("c", "t", "d"), "base", &arena));
    const char *other = ",\"dockerfile\":\"elsewhere\""; /* outside the context: its folder does not tell */
    assert_string_not_equal(build_key(other, FACTS("c", "t", "d"), "base", &arena),
                            build_key(other, FACTS("c", "t", "x"), "base", &arena));
    arena_release(&arena);
}

static bool asks_again(const char *params, enum work_state work_state) {
    struct arena arena = {0};
    struct settings settings = {.base = "b"};
    struct decision decision = {.arena = &arena, .settings = &settings, .now = 1000 * CLOCK_S};
    struct work work = {.key = "resolve:x",
                        .kind = STEP_RESOLVE,
                        .state = (int)work_state,
                        .attempt = 1,
                        .params = params,
                        .settled_at = decision.now - 500 * CLOCK_S};
    bool settled = decide_work_due(&work, decision.now, &decision);
    assert_int_equal(settled, work.state != WORK_OPEN);
    arena_release(&arena);
    return !settled;
}

/* Two instances of one release, however far apart, run one commit. */
static void what_is_pinned_is_never_asked_again(void **state) {
    (void)state;
    assert_false(asks_again("{\"release\":\"00\"}", WORK_DONE));
    assert_true(asks_again("{\"follow\":true}", WORK_DONE));
    assert_true(asks_again("{\"release\":\"00\"}", WORK_FAILED)); /* it has no commit yet */
}

static void refused(const char *secrets, const char *expect, const char *why) {
    struct err err = {0};
    cleanup_json json_t *spec = spec_of("", secrets, expect);
    if (template_check(template, spec, &err) == 0)
        fail_msg("accepted: %s", why);
    if (!strstr(err.text, why))
        fail_msg("said: %s", err.text);
}

static void what_would_fail_only_when_it_runs_is_refused_before(void **state) {
    struct err err = {0};
    (void)state;
    cleanup_json json_t *spec =
        spec_of("", "\"key\":{\"readers\":[{\"service\":\"web\",\"uid\":10100}]}", "{\"path\":\"/\"}");
    assert_int_equal(template_check(template, spec, &err), 0);
    refused("\"key\":{\"readers\":[{\"service\":\"web\",\"uid\":10999}]}", "{\"path\":\"/\"}",
            "runs as 10100");
    refused("", "{\"path\":\"/\",\"body\":\"{{inputs.title}}\"}", "in compose.yaml only");
    refused("", "{\"path\":\"healthz\"}", "must begin with /");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(releases_share_only_what_they_follow),
        cmocka_unit_test(all_that_a_build_reads_is_in_its_key),
        cmocka_unit_test(what_is_pinned_is_never_asked_again),
        cmocka_unit_test(what_would_fail_only_when_it_runs_is_refused_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
