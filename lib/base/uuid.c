#include "base/uuid.h"

#include "base/hash.h"
#include "base/rnd.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

struct uuid uuid_make(int64_t now_us) {
    struct uuid u;
    rnd_bytes(u.b, sizeof u.b);
    uint64_t ms = (uint64_t)(now_us / 1000);
    for (int i = 0; i < 6; i++)
        u.b[i] = (uint8_t)(ms >> (40 - 8 * i));
    u.b[6] = (uint8_t)((u.b[6] & 0x0f) | 0x70);
    u.b[8] = (uint8_t)((u.b[8] & 0x3f) | 0x80);
    return u;
}

struct uuid uuid_seed(int64_t now_us) {
    struct uuid u = uuid_make(now_us);
    u.b[14] = u.b[15] = 0;
    return u;
}

struct uuid uuid_derive(struct uuid seed, unsigned n) {
    seed.b[14] = (uint8_t)(n >> 8);
    seed.b[15] = (uint8_t)n;
    return seed;
}

uint64_t uuid_spread(struct uuid u) {
    uint64_t out;
    struct hash hash = hash_of(u.b, sizeof u.b);
    memcpy(&out, hash.b, sizeof out);
    return out;
}

bool uuid_eq(struct uuid a, struct uuid b) {
    return memcmp(a.b, b.b, sizeof a.b) == 0;
}

bool uuid_is_nil(struct uuid u) {
    static const struct uuid nil;
    return uuid_eq(u, nil);
}

char *uuid_hex(struct uuid u, char out[UUID_HEX_SIZE]) {
    hex_encode(out, u.b, sizeof u.b);
    return out;
}

char *uuid_text(struct uuid u, char out[UUID_TEXT_SIZE]) {
    char hex[UUID_HEX_SIZE];
    uuid_hex(u, hex);
    (void)snprintf(out, UUID_TEXT_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
                   hex + 20);
    return out;
}

bool uuid_parse(const char *s, struct uuid *ret) {
    char hex[UUID_HEX_SIZE];
    struct uuid u;
    size_t n = s ? strlen(s) : 0;
    if (n == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-')
        (void)snprintf(hex, sizeof hex, "%.8s%.4s%.4s%.4s%.12s", s, s + 9, s + 14, s + 19, s + 24);
    else if (n == 32)
        memcpy(hex, s, sizeof hex);
    else
        return false;
    if (!hex_decode(u.b, sizeof u.b, hex))
        return false;
    *ret = u;
    return true;
}
