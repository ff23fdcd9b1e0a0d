/* For fuzzers: one entry each, any bytes in, nothing but clean errors out. A corpus folder of the same name
 * is replayed by `make check`; `make fuzz` goes on from there. */
#ifndef FAIRLEAD_TESTS_FUZZ_FUZZ_H
#define FAIRLEAD_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold of every input. */
#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            (void)fprintf(stderr, "does not hold: %s\n", #condition);                                        \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

#endif
