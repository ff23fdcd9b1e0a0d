/* Sets of keys: whose signature counts (protocol section 11). A set is signed by the root of the
 * coordinator's authority, which lies in a safe: who has stolen the key that signs documents cannot make one.
 * Sets are numbered; a younger one is believed for ever, whatever it comes after. A key has the number of the
 * set that it came with, and what a younger key signed stands above all that an older one did: no revision
 * that a thief has given out is too high to be followed. */
#ifndef FAIRLEAD_NODE_KEY_SET_H
#define FAIRLEAD_NODE_KEY_SET_H

#include "base/err.h"
#include "base/mem.h"
#include "io/sign.h"
#include "proto/fairlead.pb-c.h"

#define KEY_SET_BYTES_MAX 8192 /* of its envelope */

struct key_set {
    uint64_t n; /* 1: no set yet, the key that was pinned at enrolment */
    struct keyring ring;
    uint8_t seal[SEAL_PUBLIC_SIZE]; /* of the youngest key that is not retired */
};

/* The first: one key, not signed by anybody. */
struct key_set key_set_first(const uint8_t sign_public[SIGN_PUBLIC_SIZE],
                             const uint8_t seal_public[SEAL_PUBLIC_SIZE]);
/* Its envelope, in the arena; `root_key`: PEM. Class park: that is no key. */
MUST_CHECK int key_set_make(const char *root_key, const Fairlead__V1__KeySet *set, struct arena *arena,
                            void **ret, size_t *ret_n, struct err *err);
/* What the envelope says; `root`: the certificate that it must be signed by (PEM). Class dead: it is not, or
 * says what cannot be. */
MUST_CHECK int key_set_open(const char *root, const void *bytes, size_t n, struct key_set *ret,
                            struct err *err);
/* May `next` follow? It must be younger, and may forget no key nor change since when there was one: what is
 * kept must stay readable. Class dead: no. */
MUST_CHECK int key_set_follows(const struct key_set *held, const struct key_set *next, struct err *err);
/* The youngest that is not retired: the one to sign with. */
const struct keyring_key *key_set_youngest(const struct key_set *set);
/* Is what keys of `since` signed still what the coordinator wants? */
bool key_set_counts(const struct key_set *set, uint64_t since);
/* Is it perhaps a thief's? */
bool key_set_is_stolen(const struct key_set *set, uint64_t since);

#endif
