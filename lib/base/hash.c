#include "base/hash.h"

#include "base/str.h"

#include <sodium.h>
#include <string.h>

struct hash hash_of(const void *p, size_t n) {
    struct hash h;
    crypto_generichash(h.b, sizeof h.b, p, n, NULL, 0);
    return h;
}

struct hash hash_texts(const char *const *texts) {
    struct hash h;
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof h.b);
    for (; *texts; texts++) {
        uint64_t n = strlen(*texts);
        uint8_t le[8];
        for (int i = 0; i < 8; i++)
            le[i] = (uint8_t)(n >> (8 * i));
        crypto_generichash_update(&state, le, sizeof le);
        crypto_generichash_update(&state, (const uint8_t *)*texts, n);
    }
    crypto_generichash_final(&state, h.b, sizeof h.b);
    return h;
}

struct hash hash_sha256(const void *a, size_t a_n, const void *b, size_t b_n) {
    struct hash h;
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, a, a_n);
    crypto_hash_sha256_update(&state, b, b_n);
    crypto_hash_sha256_final(&state, h.b);
    return h;
}

char *hash_hex(struct hash hash, char out[HASH_HEX_SIZE]) {
    hex_encode(out, hash.b, sizeof hash.b);
    return out;
}
