/* Named fault points: where a test may kill, stop or fail a program. In builds without -DFAULTS they are
 * nothing. Every boundary of the loop has one (reliability section 2); each is a row of fault_points.def, so
 * that the harness can prove that it reached them all.
 *
 * FAIRLEAD_FAULT="name:kill", "name:stop", "name:fail", "name:exit@3" (the third time it is reached) arms
 * one. FAIRLEAD_FAULT_LOG=FILE appends the name of each point when it is first reached. */
#ifndef FAIRLEAD_BASE_FAULT_H
#define FAIRLEAD_BASE_FAULT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum fault_point {
#define FAULT_POINT(id, name, where) FAULT_##id,
#include "base/fault_points.def"
#undef FAULT_POINT
    FAULT_COUNT
};

struct fault_row {
    const char *name, *where;
};
extern const struct fault_row fault_rows[FAULT_COUNT];

#ifdef FAULTS
/* True: behave as if the call that follows had failed. */
bool fault_reach(enum fault_point point);
#else
static inline bool fault_reach(enum fault_point point) {
    (void)point;
    return false;
}
#endif

/* The same as a step of an error chain: -1, class retry, when the call that follows is to fail. */
static inline int fault_check(enum fault_point point, struct err *err) {
    return fault_reach(point) ? err_set(err, ERR_RETRY, "fault point \"%s\"", fault_rows[point].name) : 0;
}

#endif
