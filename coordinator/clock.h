/* The clock: due timers, steps whose time has passed, nodes that fell silent, and jumps of the clock itself.
 * It sleeps until the next due row (five seconds at most, for rows that another process wrote) or until it is
 * woken.
 *
 * A jump (design section 9): when the database's wall clock and the boot-time clock of this machine part by
 * more than five minutes, timers that stop or remove are held until somebody accepts the clock. */
#ifndef FAIRLEAD_COORDINATOR_CLOCK_H
#define FAIRLEAD_COORDINATOR_CLOCK_H

#include "coordinator/engine.h"
#include "coordinator/signing.h"
#include "io/broker.h"

struct clock_conf {
    int64_t keep_days;   /* of what is kept only for a while (sweep.h) */
    int64_t heartbeat_s; /* between two heartbeats of a node (heartbeat.h) */
    const char *database_url, *redis;
    struct broker broker;
    struct engine *engine;
    struct signing *signing; /* heads of the audit are signed with them, each minute */
    const char *heads_file;  /* ... and remembered here (store/audit.h) */
};
struct clock *clock_start(const struct clock_conf *conf, struct err *err);
void clock_stop(struct clock *clock); /* NULL is fine */
void clock_wake(struct clock *clock); /* any thread */

#endif
