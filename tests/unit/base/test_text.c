/* Strings, identities, JSON, YAML and the validator: what strangers type (P21, P29). */
#include "base/json.h"
#include "base/mem.h"
#include "base/schema.h"
#include "base/str.h"
#include "base/uuid.h"
#include "base/yaml.h"
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

static void what_is_for_terminals_goes(void **state) {
    (void)state;
    static const char *const texts[][2] = {
        {"\033[0mRemoving intermediate\n", "Removing intermediate\n"},
        {"\033[1;31mred\033[m\tand \033]0;a title\aplain", "red\tand plain"},
        {"10 %\r20 %\r\n30 %", "10 %\n20 %\n30 %"},
        {"a\bb\x7f\x01 caf\303\251", "ab caf\303\251"},
        {"cut \033[1;", "cut "},
        {"cut \033", "cut "},
        {"\033]never ended", ""},
        {"\033]two\033\\after", "after"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "%s", texts[i][0]);
        assert_int_equal(str_make_plain(text), strlen(texts[i][1]));
        assert_string_equal(text, texts[i][1]);
    }
}

static void the_end_of_a_long_log_is_kept(void **state) {
    cleanup_str struct str log = STR_TAIL(64);
    (void)state;
    for (int i = 0; i < 1000; i++) {
        str_addf(&log, "line %d\n", i);
        assert_true(log.n <= 64);
        assert_true(str_starts(str_text(&log), "line ")); /* whole lines */
    }
    assert_true(str_is_cut(&log));
    assert_non_null(strstr(str_text(&log), "line 998\nline 999\n"));
    char wide[200];
    memset(wide, 'x', sizeof wide);
    wide[199] = 'y';
    str_add(&log, wide, sizeof wide);
    assert_int_equal(log.n, 64);
    assert_int_equal(log.s[63], 'y');
    str_release(&log);
    str_adds(&log, "anew");
    assert_string_equal(str_text(&log), "anew");
}

static void str_stops_at_its_ceiling(void **state) {
    (void)state;
    cleanup_str struct str s = STR_INIT(8);
    str_adds(&s, "12345678");
    assert_false(str_is_cut(&s));
    str_adds(&s, "9");
    assert_true(str_is_cut(&s));
    assert_string_equal(str_text(&s), "12345678");
}

static void numbers_are_whole_and_within_limits(void **state) {
    static const char *const bad[] = {"", "x", "1x", " 1", "0x10", "9223372036854775808", "1e3", "-", NULL};
    int64_t n = 7;
    (void)state;
    for (const char *const *b = bad; *b; b++)
        assert_false(str_to_int(*b, INT64_MIN, INT64_MAX, &n));
    assert_int_equal(n, 7);
    assert_true(str_to_int("-12", -20, 0, &n));
    assert_int_equal(n, -12);
    assert_false(str_to_int("21", 0, 20, &n));
}

static void derived_identities_differ_and_repeat(void **state) {
    struct uuid seed = uuid_seed(1000000), parsed;
    char text[UUID_TEXT_SIZE], hex[UUID_HEX_SIZE];
    (void)state;
    assert_true(uuid_eq(uuid_derive(seed, 1), uuid_derive(seed, 1)));
    assert_false(uuid_eq(uuid_derive(seed, 1), uuid_derive(seed, 258)));
    assert_true(uuid_parse(uuid_text(seed, text), &parsed) && uuid_eq(parsed, seed));
    assert_true(uuid_parse(uuid_hex(seed, hex), &parsed) && uuid_eq(parsed, seed));
    assert_false(uuid_parse("0000000-00000-0000-0000-000000000000", &parsed));
    assert_false(uuid_parse("zz000000000000000000000000000000", &parsed));
}

static void refuses_json(const char *text) {
    struct err err = {0};
    json_t *json = json_parse(text, strlen(text), &err);
    if (json)
        fail_msg("accepted: %.60s", text);
    assert_int_equal(err.cls, ERR_PARK);
}

static void hostile_json_is_refused(void **state) {
    char deep[200];
    (void)state;
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    refuses_json(deep);
    refuses_json("{\"a\":1,\"a\":2}");
    refuses_json("{\"a\":1} x");
    refuses_json("{\"a\":\"\\u0000\"}");
    struct err err = {0};
    assert_null(json_parse("{\"a\":\"\\u0000\"}", 14, &err));
    assert_non_null(strstr(err.text, "the character NUL")); /* in words, not the library's */
    refuses_json("{\"a\":\"\\ud800\"}");
    refuses_json("{\"a\":9223372036854775808}");
    refuses_json("{\"a\":1e400}");
    refuses_json("{'a':1}");
    refuses_json("");
    refuses_json("\"text\"");
}

static void refuses_yaml(const char *text, const char *reason) {
    struct err err = {0};
    json_t *json = yaml_parse("f", text, strlen(text), &err);
    if (json)
        fail_msg("accepted: %.60s", text);
    if (!strstr(err.text, reason))
        fail_msg("\"%s\" does not say \"%s\"", err.text, reason);
}

static void hostile_yaml_is_refused_with_its_place(void **state) {
    (void)state;
    refuses_yaml("a: &x 1\nb: *x\n", "f:1:4");
    refuses_yaml("a: 1\nb: *x\n", "f:2:4");
    refuses_yaml("a: !!int 1\n", "tags");
    refuses_yaml("a: 1\na: 2\n", "twice");
    refuses_yaml("a: 1\n---\nb: 2\n", "second document");
    refuses_yaml("", "empty");
    refuses_yaml("[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]", "too deep");
    refuses_yaml("[a]: 1\n", "plain text");
    refuses_yaml("a: \"x\\0y\"\n", "NUL");
    refuses_yaml("a:\n\t- b\n", "f:2");
}

static void yaml_scalars_stay_texts(void **state) {
    struct err err = {0};
    const char text[] = "a: no\nb: 010\nc: 1e3\nd: ~\n";
    (void)state;
    cleanup_json json_t *json = yaml_parse("f", text, strlen(text), &err);
    assert_non_null(json);
    assert_string_equal(json_str(json, "a"), "no");
    assert_string_equal(json_str(json, "b"), "010");
    assert_string_equal(json_str(json, "c"), "1e3");
    assert_string_equal(json_str(json, "d"), "~");
}

static void emitted_text_reads_back_as_the_same_text(void **state) {
    static const char *const values[] = {
        "a: b", "- x", "\n  key: v\n",     "${HOME}", "\"", "'", "#", "!!int 1", "&a", "*a", "{x}", "\\n",
        "no",   "",    "\xf0\x9f\x90\xb3", NULL};
    struct err err = {0};
    (void)state;
    for (const char *const *v = values; *v; v++) {
        cleanup_json json_t *json = json_pack("{s:s, s:i}", "k", *v, "n", 1);
        cleanup_free char *text = yaml_emit(json, &err);
        assert_non_null(text);
        cleanup_json json_t *back = yaml_parse("f", text, strlen(text), &err);
        assert_non_null(back);
        assert_string_equal(json_str(back, "k"), *v);
        assert_int_equal(json_object_size(back), 2);
    }
}

static const struct schema_field inner[] = {
    {.name = "port", .type = SCHEMA_INT, .required = true, .min = 1, .max = 10}, {0}};
static const struct schema_field fields[] = {
    {.name = "name", .type = SCHEMA_STRING, .required = true, .min = 1, .max = 5},
    {.name = "mode",
     .type = SCHEMA_STRING,
     .otherwise = "a",
     .values = (const char *const[]){"a", "b", NULL}},
    {.name = "on", .type = SCHEMA_BOOL, .otherwise = "true"},
    {.name = "list", .type = SCHEMA_LIST, .fields = inner},
    {0},
};

static int check(const char *text, unsigned flags, struct err *err) {
    cleanup_json json_t *json = json_loads(text, 0, NULL);
    return schema_check(json, fields, flags, err);
}

static void the_validator_names_the_value_and_the_rule(void **state) {
    struct err err = {0};
    (void)state;
    assert_int_equal(check("{\"name\":\"x\"}", 0, &err), 0);
    assert_int_equal(check("{}", 0, &err), -1);
    assert_string_equal(err.text, "name: is required");
    assert_int_equal(check("{\"name\":\"x\",\"extra\":1}", 0, &err), -1);
    assert_non_null(strstr(err.text, "extra: is not known here"));
    assert_int_equal(check("{\"name\":\"toolong\"}", 0, &err), -1);
    assert_int_equal(check("{\"name\":1}", 0, &err), -1);
    assert_int_equal(check("{\"name\":\"x\",\"mode\":\"c\"}", 0, &err), -1);
    assert_string_equal(err.text, "mode: must be one of: a, b");
    assert_int_equal(check("{\"name\":\"x\",\"list\":[{\"port\":11}]}", 0, &err), -1);
    assert_string_equal(err.text, "list.0.port: must be from 1 to 10");
    assert_int_equal(check("{\"name\":\"x\",\"on\":\"yes\"}", 0, &err), -1);
    assert_int_equal(check("{\"name\":\"x\",\"list\":[{\"port\":\"7\"}]}", 0, &err), -1);
    assert_int_equal(check("{\"name\":\"x\",\"list\":[{\"port\":\"7\"}]}", SCHEMA_TEXT, &err), 0);
    assert_int_equal(check("{\"name\":\"x\",\"list\":[{\"port\":\"0x7\"}]}", SCHEMA_TEXT, &err), -1);
}

static void lengths_count_characters(void **state) {
    struct err err = {0};
    struct schema_field name[] = {{.name = "name", .type = SCHEMA_STRING, .max = 4}, {0}};
    (void)state;
    cleanup_json json_t *good = json_pack("{s:s}", "name", "\xc3\xa9\xc3\xa9\xc3\xa9\xe2\x82\xac");
    assert_int_equal(schema_check(good, name, 0, &err), 0);
    cleanup_json json_t *bad = json_pack("{s:s}", "name", "\xc3\xa9\xc3\xa9\xc3\xa9\xe2\x82\xacx");
    assert_int_equal(schema_check(bad, name, 0, &err), -1);
    assert_string_equal(err.text, "name: must have at most 4 characters");
}

static void a_slot_that_was_used_before_is_empty(void **state) {
    struct arena arena = {0};
    struct vec vec = {0};
    (void)state;
    *vec_add(&arena, &vec, int) = 7;
    vec.n--; /* taken off the end */
    assert_int_equal(*vec_add(&arena, &vec, int), 0);
    arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slot_that_was_used_before_is_empty),
        cmocka_unit_test(the_end_of_a_long_log_is_kept),
        cmocka_unit_test(what_is_for_terminals_goes),
        cmocka_unit_test(str_stops_at_its_ceiling),
        cmocka_unit_test(numbers_are_whole_and_within_limits),
        cmocka_unit_test(derived_identities_differ_and_repeat),
        cmocka_unit_test(hostile_json_is_refused),
        cmocka_unit_test(hostile_yaml_is_refused_with_its_place),
        cmocka_unit_test(yaml_scalars_stay_texts),
        cmocka_unit_test(emitted_text_reads_back_as_the_same_text),
        cmocka_unit_test(the_validator_names_the_value_and_the_rule),
        cmocka_unit_test(lengths_count_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
