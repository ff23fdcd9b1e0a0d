#include "base/hash.h"

#include "base/str.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

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

int hash_sha256_file(int fd, struct hash *ret) {
    uint8_t piece[65536];
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    for (off_t at = 0;;) {
        ssize_t n = pread(fd, piece, sizeof piece, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        crypto_hash_sha256_update(&state, piece, (size_t)n);
        at += n;
    }
    crypto_hash_sha256_final(&state, ret->b);
    return 0;
}

char *hash_hex(struct hash hash, char out[HASH_HEX_SIZE]) {
    hex_encode(out, hash.b, sizeof hash.b);
    return out;
}
