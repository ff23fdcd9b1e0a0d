/* Envelopes, sealed boxes and the ratchet (P13, P14). */
#include "node/envelope.h"
#include "node/ratchet.h"
#include "tests/support/check.h"

#include <string.h>

static struct sign_keys ours, other;

static int make_keys(void **state) {
    struct err err;
    (void)state;
    if (sign_init(&err) < 0)
        return -1;
    sign_keys_make(&ours);
    sign_keys_make(&other);
    return 0;
}

static int opens(const struct sign_keys *keys, const void *bytes, size_t n) {
    struct arena arena = {0};
    struct err err = {0};
    struct opened opened;
    struct keyring ring = {0};
    assert_non_null(keyring_add(&ring, keys->sign_public));
    int rc = envelope_open(&ring, bytes, n, &arena, &opened, &err);
    if (rc < 0)
        assert_int_equal(err.cls, ERR_DEAD);
    arena_release(&arena);
    return rc;
}

static void only_the_bytes_that_were_signed_are_believed(void **state) {
    struct arena arena = {0};
    size_t n;
    (void)state;
    uint8_t *good = envelope_make(&ours, ENVELOPE_ORDERS, "payload", 7, &arena, &n);
    assert_int_equal(opens(&ours, good, n), 0);
    assert_int_equal(opens(&other, good, n), -1);
    for (size_t i = 0; i < n; i++) {
        uint8_t *bent = arena_memdup(&arena, good, n);
        bent[i] ^= 1;
        /* The key's name is outside the signature: which key is believed is never read from the record. */
        bool in_key_id = memmem(good, n, "\x1a\x08", 2) &&
                         good + i >= (uint8_t *)memmem(good, n, "\x1a\x08", 2) + 2 &&
                         good + i < (uint8_t *)memmem(good, n, "\x1a\x08", 2) + 10;
        if (opens(&ours, bent, n) == 0 && !in_key_id)
            fail_msg("byte %zu may be changed", i);
    }
    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(opens(&ours, good, cut), -1);
    arena_release(&arena);
}

static void a_signature_is_for_one_type(void **state) {
    struct arena arena = {0};
    size_t n;
    (void)state;
    uint8_t *orders = envelope_make(&ours, ENVELOPE_ORDERS, "payload", 7, &arena, &n);
    uint8_t *at = memmem(orders, n, "orders", 6);
    assert_non_null(at);
    uint8_t signature[SIGN_SIZE];
    sign_make(&ours, ENVELOPE_ORDERS, "payload", 7, signature);
    assert_true(sign_verify(ours.sign_public, ENVELOPE_ORDERS, "payload", 7, signature, sizeof signature));
    assert_false(sign_verify(ours.sign_public, ENVELOPE_DOCUMENT, "payload", 7, signature, sizeof signature));
    assert_false(
        sign_verify(ours.sign_public, ENVELOPE_ORDERS, "payload", 7, signature, sizeof signature - 1));
    arena_release(&arena);
}

static void a_box_opens_only_for_its_key(void **state) {
    struct arena arena = {0};
    struct err err = {0};
    size_t n, plain_n;
    void *plain;
    (void)state;
    void *box = sign_seal(ours.seal_public, "secret", 6, &arena, &n);
    assert_int_equal(sign_unseal(&ours, box, n, &arena, &plain, &plain_n, &err), 0);
    assert_int_equal(plain_n, 6);
    assert_memory_equal(plain, "secret", 6);
    assert_int_equal(sign_unseal(&other, box, n, &arena, &plain, &plain_n, &err), -1);
    assert_int_equal(sign_unseal(&ours, box, n - 1, &arena, &plain, &plain_n, &err), -1);
    assert_int_equal(sign_unseal(&ours, box, 3, &arena, &plain, &plain_n, &err), -1);
    arena_release(&arena);
}

static void the_ratchet_never_goes_back(void **state) {
    (void)state;
    struct ratchet_number none = {0}, held = {2, 2, 5};
    assert_int_equal(ratchet_judge(none, (struct ratchet_number){1, 1, 1}, 0), RATCHET_NEW);
    assert_int_equal(ratchet_judge(held, (struct ratchet_number){2, 2, 6}, 0), RATCHET_NEW);
    assert_int_equal(ratchet_judge(held, (struct ratchet_number){2, 3, 1}, 0), RATCHET_NEW);
    assert_int_equal(ratchet_judge(held, (struct ratchet_number){2, 2, 4}, 1), RATCHET_OLDER);
    assert_int_equal(ratchet_judge(held, (struct ratchet_number){2, 1, 9}, 1), RATCHET_OLDER);
    /* P15: what an older key has signed is older, however high its numbers; a younger one's is newer. */
    assert_int_equal(ratchet_judge(held, (struct ratchet_number){1, UINT32_MAX, UINT64_MAX}, 1),
                     RATCHET_OLDER);
    assert_int_equal(ratchet_judge((struct ratchet_number){2, UINT32_MAX, UINT64_MAX},
                                   (struct ratchet_number){3, 1, 1}, 0),
                     RATCHET_NEW);
    assert_int_equal(ratchet_judge(held, held, 1), RATCHET_SAME);
    assert_int_equal(ratchet_judge(held, held, 0), RATCHET_ALARM);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_bytes_that_were_signed_are_believed),
        cmocka_unit_test(a_signature_is_for_one_type),
        cmocka_unit_test(a_box_opens_only_for_its_key),
        cmocka_unit_test(the_ratchet_never_goes_back),
    };
    return cmocka_run_group_tests(tests, make_keys, NULL);
}
