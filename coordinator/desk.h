/* The desk: threads that serve what is read from PostgreSQL, and write records (customers, plans, nodes ...)
 * that have no life of their own, so that no decision follows from them. Each has a connection; jobs never
 * run on the HTTP server's thread. */
#ifndef FAIRLEAD_COORDINATOR_DESK_H
#define FAIRLEAD_COORDINATOR_DESK_H

#include "io/pg.h"

#include <stdbool.h>

/* A job runs with a usable connection, or with NULL when there is none (err says why). It frees itself. */
struct desk_job {
    struct desk_job *next;
    void (*run)(struct desk_job *job, struct pg *pg, const struct err *err);
};

/* `user`: the role that it logs in as, whoever the address names; NULL: as that says. */
struct desk *desk_start(const char *database_url, const char *user, int threads, struct err *err);
void desk_stop(struct desk *desk);   /* finishes what is queued; NULL is fine */
int desk_waiting(struct desk *desk); /* jobs that nobody has begun */
/* Can it log in? By a connection of its own. */
MUST_CHECK int desk_try(const struct desk *desk, struct err *err);
/* False: too much is queued. */
MUST_CHECK bool desk_submit(struct desk *desk, struct desk_job *job);

#endif
