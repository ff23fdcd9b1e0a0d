/* The records of a bundle that a stranger carried: what is handed over is whole, and nothing is where the
 * file is none. */
#include "node/bundle.h"

#include "base/mem.h"
#include "base/str.h"
#include "node/envelope.h"
#include "tests/fuzz/fuzz.h"

static int ready;

static void take(void *arg, const struct kcons_record *record) {
    MUST(record->topic && record->key && record->value && record->value_n <= ENVELOPE_BYTES_MAX);
    ++*(size_t *)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct err err = {0};
    struct arena arena = {0};
    struct uuid node = {{1}};
    const char *made_at = NULL;
    size_t taken = 0;
    if (!ready) {
        MUST(sign_init(&err) == 0);
        ready = 1;
    }
    if (bundle_read((const char *)data, size, node, &arena, take, &taken, &made_at, &err) < 0)
        MUST(err.cls == ERR_PARK && err.text[0] && taken == 0);
    else
        MUST(made_at != NULL);
    arena_release(&arena);
    return 0;
}
