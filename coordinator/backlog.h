/* Does what was written leave? While the broker is away, or far behind, nobody can have answered: time spent
 * in that queue is no failure of a step (design section 4), so the clock leaves the deadlines of what was
 * ordered alone. */
#ifndef FAIRLEAD_COORDINATOR_BACKLOG_H
#define FAIRLEAD_COORDINATOR_BACKLOG_H

#include "io/pg.h"

struct backlog {
    int64_t highest;   /* id in the outbox at the last look */
    int64_t looked_at; /* 0: never */
    int64_t stood_at;  /* the last look at which a row of the look before was still there; 0: none was */
    bool unsure;       /* rows were there at the first look: since when is not known */
};

/* *ret: rows have waited for seconds, or did a moment ago: those who got them must have time to answer. Asks
 * the database at most every few seconds. Class retry. */
MUST_CHECK int backlog_stands(struct backlog *backlog, struct pg *pg, bool *ret, struct err *err);

#endif
