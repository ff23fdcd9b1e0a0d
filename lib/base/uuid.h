/* Identities: 128 bits, time-ordered (RFC 9562 version 7) where we make them, so that the rows of one moment
 * lie beside each other in an index.
 *
 * A *seed* is an identity whose last two bytes are zero; uuid_derive(seed, n) gives the n-th identity of that
 * seed. So whoever decides needs no generator: it derives from the seed of its input, and deciding the same
 * input again names the same things. */
#ifndef FAIRLEAD_BASE_UUID_H
#define FAIRLEAD_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

struct uuid {
    uint8_t b[16];
};

#define UUID_TEXT_SIZE 37
#define UUID_HEX_SIZE 33

struct uuid uuid_make(int64_t now_us); /* random bits from the kernel */
struct uuid uuid_seed(int64_t now_us);
struct uuid uuid_derive(struct uuid seed, unsigned n); /* n from 1 to 65535 */
bool uuid_eq(struct uuid a, struct uuid b);
/* A number to spread things by. Identities of ours begin with the time and end alike: no part of them does.
 */
uint64_t uuid_spread(struct uuid u);
bool uuid_is_nil(struct uuid u);
/* The hyphenated form in a buffer of the caller's; returns it. */
char *uuid_text(struct uuid u, char out[UUID_TEXT_SIZE]);
char *uuid_hex(struct uuid u, char out[UUID_HEX_SIZE]); /* without hyphens: topic names, labels */
/* Hyphenated or bare hex, either case. */
bool uuid_parse(const char *s, struct uuid *ret);

#endif
