/* What of an identity provider's token is believed (OpenID Connect Core 1.0, section 3.1.3.7). */
#include "base/json.h"
#include "model/claims.h"
#include "tests/support/check.h"

#include <stdbool.h>

#define NOW INT64_C(1800000000)

static const struct claims_want want = {"https://id.example/town", "fairlead", "once"};

/* The claims of a good token with one of them replaced; NULL: taken away. */
static bool is_believed(const char *key, json_t *value) {
    struct err err = {0};
    cleanup_json json_t *claims =
        json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "iss", want.issuer, "aud", want.client_id, "nonce",
                  want.nonce, "sub", "s-1", "exp", (json_int_t)NOW + 60, "iat", (json_int_t)NOW - 1);
    if (value)
        (void)json_object_set_new(claims, key, value);
    else if (key)
        (void)json_object_del(claims, key);
    return claims_judge(claims, &want, NOW * 1000000, &err) == 0;
}

static void a_good_token_is_believed(void **state) {
    (void)state;
    assert_true(is_believed(NULL, NULL));
    assert_true(is_believed("aud", json_pack("[s]", "fairlead")));
    assert_true(is_believed("azp", json_string("fairlead")));
    assert_true(is_believed("exp", json_integer(NOW - 59))); /* clocks differ */
    assert_true(is_believed("iat", NULL));
}

static void what_is_not_meant_for_us_is_not(void **state) {
    (void)state;
    static const char *const needed[] = {"iss", "aud", "nonce", "sub", "exp"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        assert_false(is_believed(needed[i], NULL));
    assert_false(is_believed("iss", json_string("https://id.example/town/")));
    assert_false(is_believed("aud", json_string("somebody")));
    assert_false(is_believed("aud", json_pack("[s]", "somebody")));
    assert_false(is_believed("aud", json_pack("[ss]", "fairlead", "somebody"))); /* made for whom? */
    assert_false(is_believed("azp", json_string("somebody")));
    assert_false(is_believed("nonce", json_string("another")));
    assert_false(is_believed("exp", json_integer(NOW - 60)));
    assert_false(is_believed("exp", json_string("never")));
    assert_false(is_believed("iat", json_integer(NOW + 61)));
    assert_false(is_believed("sub", json_integer(1)));
}

static void only_addresses_that_are_safe_are_asked(void **state) {
    (void)state;
    assert_true(claims_is_address("https://id.example/town"));
    assert_true(claims_is_address("http://127.0.0.1:8080/town"));
    assert_true(claims_is_address("http://localhost"));
    assert_true(claims_is_address("http://[::1]:80/"));
    static const char *const others[] = {"http://id.example",
                                         "http://localhost.example",
                                         "http://127.0.0.1.example/",
                                         "http://127.0.0.1@id.example",
                                         "ftp://localhost",
                                         "file:///etc/passwd",
                                         "",
                                         "localhost",
                                         "https://id.example/a b",
                                         "http://[::1].example"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (claims_is_address(others[i]))
            fail_msg("%s", others[i]);
    assert_true(claims_is_local("https://LOCALHOST:1/"));
    assert_false(claims_is_local("https://localhost.example"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_token_is_believed),
        cmocka_unit_test(what_is_not_meant_for_us_is_not),
        cmocka_unit_test(only_addresses_that_are_safe_are_asked),
    };
    return cmocka_run_group_tests_name("claims", tests, NULL, NULL);
}
