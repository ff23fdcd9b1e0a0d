/* One hash for keys, fingerprints and identities: BLAKE2b (RFC 7693) by libsodium, 32 bytes. A pure function.
 */
#ifndef FAIRLEAD_BASE_HASH_H
#define FAIRLEAD_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_SIZE 32
#define HASH_HEX_SIZE 65

struct hash {
    uint8_t b[HASH_SIZE];
};

struct hash hash_of(const void *p, size_t n);
/* Hash of several texts, each with its length before it, so that no two lists collide. NULL-ended. */
struct hash hash_texts(const char *const *texts);
/* SHA-256 (FIPS 180-4) of `a` followed by `b`: where PostgreSQL computes it too. */
struct hash hash_sha256(const void *a, size_t a_n, const void *b, size_t b_n);
/* ... of a file, from its start to its end; -1: errno says why. */
int hash_sha256_file(int fd, struct hash *ret);
char *hash_hex(struct hash hash, char out[HASH_HEX_SIZE]);

#endif
