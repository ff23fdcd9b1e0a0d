#include "io/token.h"

#include "base/hash.h"

#include <sodium.h>
#include <string.h>

#define CHECK_SIZE 4
#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

static void add_check(uint8_t bytes[TOKEN_SECRET_SIZE + CHECK_SIZE]) {
    memcpy(bytes + TOKEN_SECRET_SIZE, hash_of(bytes, TOKEN_SECRET_SIZE).b, CHECK_SIZE);
}

const char *token_base64url(const void *p, size_t n, struct arena *arena) {
    size_t size = sodium_base64_encoded_len(n, BASE64);
    char *text = arena_alloc(arena, size);
    return sodium_bin2base64(text, size, p, n, BASE64);
}

char *token_text(const uint8_t secret[TOKEN_SECRET_SIZE], char out[TOKEN_TEXT_SIZE]) {
    uint8_t bytes[TOKEN_SECRET_SIZE + CHECK_SIZE];
    memcpy(bytes, secret, TOKEN_SECRET_SIZE);
    add_check(bytes);
    memcpy(out, TOKEN_PREFIX, sizeof TOKEN_PREFIX);
    sodium_bin2base64(out + strlen(TOKEN_PREFIX), TOKEN_TEXT_SIZE - strlen(TOKEN_PREFIX), bytes, sizeof bytes,
                      BASE64);
    return out;
}

bool token_is_whole(const char *text) {
    uint8_t bytes[TOKEN_SECRET_SIZE + CHECK_SIZE], again[sizeof bytes];
    size_t n;
    if (strlen(text) != TOKEN_TEXT_SIZE - 1 || strncmp(text, TOKEN_PREFIX, strlen(TOKEN_PREFIX)) != 0 ||
        sodium_base642bin(bytes, sizeof bytes, text + strlen(TOKEN_PREFIX),
                          TOKEN_TEXT_SIZE - 1 - strlen(TOKEN_PREFIX), NULL, &n, NULL, BASE64) != 0 ||
        n != sizeof bytes)
        return false;
    memcpy(again, bytes, TOKEN_SECRET_SIZE);
    add_check(again);
    return memcmp(again, bytes, sizeof bytes) == 0;
}
