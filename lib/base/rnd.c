#include "base/rnd.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static _Thread_local uint8_t pool[512];
static _Thread_local size_t left;

void rnd_bytes(void *p, size_t n) {
    uint8_t *out = p;
    while (n) {
        if (!left) {
            if (getrandom(pool, 256, 0) != 256) /* 256 bytes are never cut short (getrandom(2)) */
                abort();
            left = 256;
        }
        size_t take = n < left ? n : left;
        memcpy(out, pool + left - take, take);
        left -= take;
        out += take;
        n -= take;
    }
}

uint64_t rnd_u64(void) {
    uint64_t v;
    rnd_bytes(&v, sizeof v);
    return v;
}
