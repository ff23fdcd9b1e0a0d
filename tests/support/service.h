/* For component tests: where the real services are. They run over the stack (deploy/dev/stack env). */
#ifndef FAIRLEAD_TESTS_SUPPORT_SERVICE_H
#define FAIRLEAD_TESTS_SUPPORT_SERVICE_H

#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The value of a setting of the stack; without it the test program ends: it proves nothing alone. */
static inline const char *service(const char *name) {
    const char *value = getenv(name);
    if (!value) {
        (void)fprintf(stderr, "%s is not set; next: eval \"$(deploy/dev/stack env)\"\n", name);
        exit(2);
    }
    return value;
}

/* A name that no other run has. */
static inline void service_name(const char *prefix, char out[64]) {
    (void)snprintf(out, 64, "%s-%d-%ld", prefix, (int)getpid(), (long)random());
}

#endif
