/* Records of a broker that somebody else writes to: a signature of nobody is refused; the payload behind a
 * good one may still be anything, so that every message is unpacked from the raw bytes too. */
#include "node/envelope.h"

#include "base/mem.h"
#include "node/key_set.h"
#include "proto/fairlead.pb-c.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static struct sign_keys keys;
static struct keyring ring;
static int ready;

#define UNPACK(type, data, size)                                                                             \
    do {                                                                                                     \
        void *message_ = fairlead__v1__##type##__unpack(NULL, size, data);                                   \
        if (message_) {                                                                                      \
            size_t n_ = fairlead__v1__##type##__get_packed_size(message_);                                   \
            uint8_t *packed_ = mem_alloc(n_ + 1);                                                            \
            (void)fairlead__v1__##type##__pack(message_, packed_);                                           \
            free(packed_);                                                                                   \
            fairlead__v1__##type##__free_unpacked(message_, NULL);                                           \
        }                                                                                                    \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct err err = {0};
    struct arena arena = {0};
    struct opened opened;
    struct key_set set;
    if (!ready) {
        MUST(sign_init(&err) == 0);
        sign_keys_make(&keys);
        MUST(keyring_add(&ring, keys.sign_public) != NULL);
        ready = 1;
    }
    MUST(envelope_open(&ring, data, size, &arena, &opened, &err) < 0);
    MUST(err.cls == ERR_DEAD);
    /* No root has signed it. */
    MUST(key_set_open("", data, size, &set, &err) < 0);
    UNPACK(key_set, data, size);
    UNPACK(orders, data, size);
    UNPACK(document, data, size);
    UNPACK(stack, data, size);
    UNPACK(route, data, size);
    UNPACK(watch, data, size);
    UNPACK(list, data, size);
    UNPACK(reports, data, size);
    /* What we signed ourselves opens, whatever it holds. */
    if (size < 4096) {
        size_t signed_n;
        void *made = envelope_make(&keys, ENVELOPE_REPORTS, data, size, &arena, &signed_n);
        MUST(envelope_open(&ring, made, signed_n, &arena, &opened, &err) == 0);
        MUST(opened.n == size && (!size || memcmp(opened.payload, data, size) == 0));
        if (signed_n > 8) { /* and not with a bit flipped */
            ((uint8_t *)made)[size % signed_n] ^= 1;
            MUST(envelope_open(&ring, made, signed_n, &arena, &opened, &err) < 0 ||
                 (opened.n == size && (!size || memcmp(opened.payload, data, size) == 0)));
        }
    }
    arena_release(&arena);
    return 0;
}
