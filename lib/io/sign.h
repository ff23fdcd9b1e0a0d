/* Keys, signatures and sealed boxes, by libsodium: Ed25519 over the DSSE pre-authentication encoding of an
 * envelope (secure-systems-lab/dsse protocol), X25519 sealed boxes for secrets. */
#ifndef FAIRLEAD_IO_SIGN_H
#define FAIRLEAD_IO_SIGN_H

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIGN_PUBLIC_SIZE 32
#define SIGN_SECRET_SIZE 64
#define SEAL_PUBLIC_SIZE 32
#define SEAL_SECRET_SIZE 32
#define SIGN_SIZE 64
#define SIGN_KEY_ID_SIZE 8

struct sign_keys {
    uint8_t sign_public[SIGN_PUBLIC_SIZE], sign_secret[SIGN_SECRET_SIZE];
    uint8_t seal_public[SEAL_PUBLIC_SIZE], seal_secret[SEAL_SECRET_SIZE];
};

MUST_CHECK int sign_init(struct err *err); /* once per program, before any other */
void sign_keys_make(struct sign_keys *keys);
/* A 0600 file of four hex lines; load refuses one that others may read. */
MUST_CHECK int sign_keys_load(struct sign_keys *keys, const char *path, struct err *err);
MUST_CHECK int sign_keys_save(const struct sign_keys *keys, const char *path, struct err *err);

/* Those of the file, which is made with new ones where there is none; *ret_made (may be NULL) says so. */
MUST_CHECK int sign_keys_ensure(struct sign_keys *keys, const char *path, bool *ret_made, struct err *err);

void sign_key_id(const uint8_t public[SIGN_PUBLIC_SIZE], uint8_t out[SIGN_KEY_ID_SIZE]);

/* Public keys whose signatures are believed. An envelope names the one that it was signed with; a name that
 * is none of them is nobody's, and one that is proves nothing by itself. */
#define KEYRING_MAX 32 /* one, and all those before and after it */
struct keyring_key {
    uint8_t id[SIGN_KEY_ID_SIZE], sign_public[SIGN_PUBLIC_SIZE];
    uint64_t since; /* what a younger key has signed counts for more; from 1 */
    bool retired;   /* what it signed once may be read, and nothing new of it is believed */
    bool stolen;    /* ... nor is what it signed begun again by itself */
};
struct keyring {
    struct keyring_key keys[KEYRING_MAX];
    size_t n;
};
/* One that counts, as the first of its kind; whoever knows better changes what is returned. NULL: the ring is
 * full. */
struct keyring_key *keyring_add(struct keyring *ring, const uint8_t sign_public[SIGN_PUBLIC_SIZE]);
/* NULL: no key of this name is on it. */
const struct keyring_key *keyring_find(const struct keyring *ring, const void *id, size_t n);

/* What is signed: "DSSEv1" and both, each with its length; appended. */
void sign_pre_authentication(struct str *out, const char *type, const void *payload, size_t n);
/* Signature over PAE(type, payload). */
void sign_make(const struct sign_keys *keys, const char *type, const void *payload, size_t n,
               uint8_t out[SIGN_SIZE]);
bool sign_verify(const uint8_t public[SIGN_PUBLIC_SIZE], const char *type, const void *payload, size_t n,
                 const void *signature, size_t signature_n);

/* Sealed boxes (crypto_box_seal). The plaintext should say what it belongs to. */
void *sign_seal(const uint8_t public[SEAL_PUBLIC_SIZE], const void *p, size_t n, struct arena *arena,
                size_t *ret_n);
MUST_CHECK int sign_unseal(const struct sign_keys *keys, const void *box, size_t n, struct arena *arena,
                           void **ret, size_t *ret_n, struct err *err);

/* RFC 4648, with padding; in the arena. */
const char *sign_base64(const void *p, size_t n, struct arena *arena);
/* NULL: it is none. */
void *sign_unbase64(const char *text, struct arena *arena, size_t *ret_n);

bool sign_equal(const void *a, const void *b, size_t n); /* constant time */

#endif
