/* Compose: one contract, a driver per version of the command line, chosen by what is installed. */
#ifndef FAIRLEAD_IO_COMPOSE_H
#define FAIRLEAD_IO_COMPOSE_H

#include "base/err.h"
#include "base/str.h"

#include <stdatomic.h>
#include <stdbool.h>

struct compose_driver {
    const char *name;
    const char *const *probe; /* a command that succeeds where the driver can be used */
    const char *const *start; /* what every call begins with */
};
/* The first that works: "v2" (a plugin of docker), then "v1" (docker-compose). NULL: none. Asked once per
 * program. */
const struct compose_driver *compose_driver(void);

struct compose {
    const char *engine_socket, *project, *file;
    const atomic_int *cancel;
    struct str *log; /* what it said */
};

MUST_CHECK int compose_check(const struct compose *compose,
                             struct err *err); /* class park: the file is not valid */
MUST_CHECK int compose_up(const struct compose *compose, struct err *err); /* class retry */
/* Containers and networks go; with `volumes`, volumes too. Class retry. */
MUST_CHECK int compose_down(const struct compose *compose, bool volumes, struct err *err);

#endif
