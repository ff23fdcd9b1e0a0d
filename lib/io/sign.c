#include "io/sign.h"

#include "base/file.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

int sign_init(struct err *err) {
    return sodium_init() < 0 ? err_set(err, ERR_BUG, "libsodium cannot start") : 0;
}

void sign_keys_make(struct sign_keys *keys) {
    crypto_sign_keypair(keys->sign_public, keys->sign_secret);
    crypto_box_keypair(keys->seal_public, keys->seal_secret);
}

static bool parse_keys(struct sign_keys *keys, char *text) {
    struct {
        uint8_t *p;
        size_t n;
    } parts[] = {{keys->sign_public, SIGN_PUBLIC_SIZE},
                 {keys->sign_secret, SIGN_SECRET_SIZE},
                 {keys->seal_public, SEAL_PUBLIC_SIZE},
                 {keys->seal_secret, SEAL_SECRET_SIZE}};
    char *line = text;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char *end = strchr(line, '\n');
        if (!end)
            return false;
        *end = '\0';
        if (!hex_decode(parts[i].p, parts[i].n, line))
            return false;
        line = end + 1;
    }
    return true;
}

int sign_keys_load(struct sign_keys *keys, const char *path, struct err *err) {
    cleanup_free char *text = NULL;
    size_t n;
    if (file_read_secret(path, 4096, &text, &n, err) < 0)
        return -1;
    bool parsed = parse_keys(keys, text);
    sodium_memzero(text, n);
    return parsed ? 0 : err_set(err, ERR_PARK, "\"%s\" is not a key file", path);
}

static void add_hex_line(struct str *out, const uint8_t *p, size_t n) {
    char hex[2 * SIGN_SECRET_SIZE + 1];
    hex_encode(hex, p, n);
    str_addf(out, "%s\n", hex);
}

int sign_keys_save(const struct sign_keys *keys, const char *path, struct err *err) {
    cleanup_str struct str out = STR_INIT(4096);
    add_hex_line(&out, keys->sign_public, SIGN_PUBLIC_SIZE);
    add_hex_line(&out, keys->sign_secret, SIGN_SECRET_SIZE);
    add_hex_line(&out, keys->seal_public, SEAL_PUBLIC_SIZE);
    add_hex_line(&out, keys->seal_secret, SEAL_SECRET_SIZE);
    return file_write(path, out.s, out.n, 0600, err);
}

int sign_keys_ensure(struct sign_keys *keys, const char *path, bool *ret_made, struct err *err) {
    bool made = !file_exists(path);
    if (ret_made)
        *ret_made = made;
    if (!made)
        return sign_keys_load(keys, path, err);
    sign_keys_make(keys);
    return sign_keys_save(keys, path, err);
}

void sign_key_id(const uint8_t public[SIGN_PUBLIC_SIZE], uint8_t out[SIGN_KEY_ID_SIZE]) {
    uint8_t hash[crypto_generichash_BYTES];
    crypto_generichash(hash, sizeof hash, public, SIGN_PUBLIC_SIZE, NULL, 0);
    memcpy(out, hash, SIGN_KEY_ID_SIZE);
}

struct keyring_key *keyring_add(struct keyring *ring, const uint8_t sign_public[SIGN_PUBLIC_SIZE]) {
    if (ring->n == KEYRING_MAX)
        return NULL;
    struct keyring_key *key = &ring->keys[ring->n++];
    *key = (struct keyring_key){.since = 1};
    sign_key_id(sign_public, key->id);
    memcpy(key->sign_public, sign_public, SIGN_PUBLIC_SIZE);
    return key;
}

const struct keyring_key *keyring_find(const struct keyring *ring, const void *id, size_t n) {
    for (size_t i = 0; i < ring->n; i++)
        if (n == SIGN_KEY_ID_SIZE && memcmp(ring->keys[i].id, id, n) == 0)
            return &ring->keys[i];
    return NULL;
}

/* "DSSEv1" SP len(type) SP type SP len(payload) SP payload */
void sign_pre_authentication(struct str *out, const char *type, const void *payload, size_t n) {
    str_addf(out, "DSSEv1 %zu %s %zu ", strlen(type), type, n);
    str_add(out, payload, n);
}

void sign_make(const struct sign_keys *keys, const char *type, const void *payload, size_t n,
               uint8_t out[SIGN_SIZE]) {
    cleanup_str struct str pae = STR_INIT(n + 256);
    sign_pre_authentication(&pae, type, payload, n);
    crypto_sign_detached(out, NULL, (const uint8_t *)pae.s, pae.n, keys->sign_secret);
}

bool sign_verify(const uint8_t public[SIGN_PUBLIC_SIZE], const char *type, const void *payload, size_t n,
                 const void *signature, size_t signature_n) {
    if (signature_n != SIGN_SIZE || strlen(type) > 64)
        return false;
    cleanup_str struct str pae = STR_INIT(n + 256);
    sign_pre_authentication(&pae, type, payload, n);
    return crypto_sign_verify_detached(signature, (const uint8_t *)pae.s, pae.n, public) == 0;
}

void *sign_seal(const uint8_t public[SEAL_PUBLIC_SIZE], const void *p, size_t n, struct arena *arena,
                size_t *ret_n) {
    uint8_t *box = arena_alloc(arena, n + crypto_box_SEALBYTES);
    if (crypto_box_seal(box, p, n, public) != 0)
        abort();
    *ret_n = n + crypto_box_SEALBYTES;
    return box;
}

int sign_unseal(const struct sign_keys *keys, const void *box, size_t n, struct arena *arena, void **ret,
                size_t *ret_n, struct err *err) {
    if (n < crypto_box_SEALBYTES)
        return err_set(err, ERR_PARK, "a sealed box is cut short");
    uint8_t *plain = arena_alloc(arena, n - crypto_box_SEALBYTES + 1);
    if (crypto_box_seal_open(plain, box, n, keys->seal_public, keys->seal_secret) != 0)
        return err_set(err, ERR_PARK, "a sealed box is not for this key");
    *ret = plain;
    *ret_n = n - crypto_box_SEALBYTES;
    return 0;
}

bool sign_equal(const void *a, const void *b, size_t n) {
    return sodium_memcmp(a, b, n) == 0;
}

const char *sign_base64(const void *p, size_t n, struct arena *arena) {
    size_t size = sodium_base64_encoded_len(n, sodium_base64_VARIANT_ORIGINAL);
    char *text = arena_alloc(arena, size);
    return sodium_bin2base64(text, size, p, n, sodium_base64_VARIANT_ORIGINAL);
}

void *sign_unbase64(const char *text, struct arena *arena, size_t *ret_n) {
    size_t n = strlen(text);
    uint8_t *bytes = arena_alloc(arena, n / 4 * 3 + 1);
    const char *end;
    return sodium_base642bin(bytes, n / 4 * 3 + 1, text, n, NULL, ret_n, &end,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
                   !*end
               ? bytes
               : NULL;
}
