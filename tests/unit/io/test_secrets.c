/* What people and programs show: tokens, passwords, codes of authenticators, signed tokens of identity
 * providers. */
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "io/jwt.h"
#include "io/password.h"
#include "io/sign.h"
#include "io/token.h"
#include "io/totp.h"
#include "tests/support/check.h"

#include <cjose/cjose.h>
#include <stdlib.h>
#include <string.h>

static void a_token_that_was_mistyped_is_seen(void **state) {
    (void)state;
    uint8_t secret[TOKEN_SECRET_SIZE] = {1, 2, 3};
    char text[TOKEN_TEXT_SIZE];
    assert_true(token_is_whole(token_text(secret, text)));
    assert_int_equal(strlen(text), TOKEN_TEXT_SIZE - 1);
    for (size_t i = 0; i < strlen(text); i++) {
        char was = text[i];
        text[i] = was == 'A' ? 'B' : 'A';
        assert_false(token_is_whole(text));
        text[i] = was;
    }
    text[TOKEN_TEXT_SIZE - 2] = '\0';
    assert_false(token_is_whole(text));
    assert_false(token_is_whole(""));
    assert_false(token_is_whole("fl_"));
}

static void a_password_is_known_by_its_hash(void **state) {
    (void)state;
    struct err err = {0};
    char hash[PASSWORD_HASH_SIZE], other[PASSWORD_HASH_SIZE];
    assert_int_equal(password_hash("correct horse", hash, &err), 0);
    assert_int_equal(password_hash("correct horse", other, &err), 0);
    assert_true(strncmp(hash, "$argon2id$", 10) == 0);
    assert_string_not_equal(hash, other); /* salted */
    assert_true(password_is("correct horse", hash));
    assert_false(password_is("correct horsf", hash));
    assert_false(password_is("", hash));
    assert_false(password_is("correct horse", NULL));
    assert_false(password_is("correct horse", "nonsense"));
}

/* RFC 6238, appendix B: the last six digits of SHA-1's. */
static void codes_are_those_of_the_standard(void **state) {
    (void)state;
    static const struct {
        int64_t at;
        const char *code;
    } known[] = {{59, "287082"}, {1111111109, "081804"}, {1234567890, "005924"}, {2000000000, "279037"}};
    const uint8_t *secret = (const uint8_t *)"12345678901234567890";
    int64_t step, other;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_true(totp_is(secret, known[i].code, known[i].at * CLOCK_S, &step));
        assert_int_equal(step, known[i].at / 30);
        assert_true(totp_is(secret, known[i].code, (known[i].at + 30) * CLOCK_S, &other)); /* a slow hand */
        assert_int_equal(step, other); /* ... but the same code */
        assert_false(totp_is(secret, known[i].code, (known[i].at + 90) * CLOCK_S, &step));
    }
    assert_false(totp_is(secret, "", 59 * CLOCK_S, &step));
    assert_false(totp_is(secret, "287083", 59 * CLOCK_S, &step));
}

/* ---- tokens of others ---- */

static char *signed_by(const cjose_jwk_t *key, const char *algorithm, const char *claims) {
    cjose_err why;
    const char *text;
    cjose_header_t *header = cjose_header_new(&why);
    assert_true(cjose_header_set(header, CJOSE_HDR_ALG, algorithm, &why));
    cjose_jws_t *jws = cjose_jws_sign(key, header, (const uint8_t *)claims, strlen(claims), &why);
    assert_non_null(jws);
    assert_true(cjose_jws_export(jws, &text, &why));
    char *copy = mem_strdup(text);
    cjose_jws_release(jws);
    cjose_header_release(header);
    return copy;
}

static json_t *public_set(const cjose_jwk_t *key) {
    cjose_err why;
    char *text = cjose_jwk_to_json(key, false, &why);
    json_t *set = json_pack("{s:[o]}", "keys", json_loads(text, 0, NULL));
    free(text);
    return set;
}

static bool is_believed(const char *token, const json_t *keys) {
    struct err err = {0};
    cleanup_json json_t *claims = NULL;
    return jwt_verify(token, keys, &claims, &err) == 0 && str_eq(json_str(claims, "sub"), "s-1");
}

static void a_token_counts_only_by_a_key_of_its_issuer(void **state) {
    (void)state;
    cjose_err why;
    static const char claims[] = "{\"sub\":\"s-1\"}";
    cjose_jwk_t *rsa = cjose_jwk_create_RSA_random(2048, (const uint8_t *)"\1\0\1", 3, &why),
                *other = cjose_jwk_create_RSA_random(2048, (const uint8_t *)"\1\0\1", 3, &why),
                *ec = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &why);
    cleanup_json json_t *rsa_set = public_set(rsa);
    cleanup_json json_t *ec_set = public_set(ec);
    cleanup_free char *good = signed_by(rsa, "RS256", claims);
    cleanup_free char *good_ec = signed_by(ec, "ES256", claims);
    cleanup_free char *forged = signed_by(other, "RS256", claims);
    assert_true(is_believed(good, rsa_set));
    assert_true(is_believed(good_ec, ec_set));
    assert_false(is_believed(forged, rsa_set));
    assert_false(is_believed(good, ec_set));
    assert_false(is_believed("", rsa_set));
    assert_false(is_believed("a.b.c", rsa_set));
    good[strlen(good) - 5] = good[strlen(good) - 5] == 'A' ? 'B' : 'A';
    assert_false(is_believed(good, rsa_set));
    cjose_jwk_release(rsa);
    cjose_jwk_release(other);
    cjose_jwk_release(ec);
}

/* A key of signatures is no password: a token signed with what is public, as if it were a shared secret, is
 * nothing. */
static void a_token_does_not_choose_how_it_is_judged(void **state) {
    (void)state;
    cjose_err why;
    static const char claims[] = "{\"sub\":\"s-1\"}";
    cjose_jwk_t *shared = cjose_jwk_create_oct_random(256, &why);
    char *text = cjose_jwk_to_json(shared, true, &why);
    cleanup_json json_t *set = json_pack("{s:[o]}", "keys", json_loads(text, 0, NULL));
    cleanup_free char *token = signed_by(shared, "HS256", claims);
    assert_false(is_believed(token, set));
    free(text);
    cjose_jwk_release(shared);
}

static int begin(void **state) {
    struct err err = {0};
    (void)state;
    return sign_init(&err);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_that_was_mistyped_is_seen),
        cmocka_unit_test(a_password_is_known_by_its_hash),
        cmocka_unit_test(codes_are_those_of_the_standard),
        cmocka_unit_test(a_token_counts_only_by_a_key_of_its_issuer),
        cmocka_unit_test(a_token_does_not_choose_how_it_is_judged),
    };
    return cmocka_run_group_tests_name("secrets", tests, begin, NULL);
}
