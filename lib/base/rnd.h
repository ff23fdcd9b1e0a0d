/* Random bytes from the kernel, buffered per thread. For identities, jitter and nonces; keys come from
 * libsodium (io/sign). */
#ifndef FAIRLEAD_BASE_RND_H
#define FAIRLEAD_BASE_RND_H

#include <stddef.h>
#include <stdint.h>

void rnd_bytes(void *p, size_t n);
uint64_t rnd_u64(void);

#endif
