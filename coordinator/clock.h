/* The clock: due timers, steps whose time has passed, nodes that fell silent. It sleeps until the next due
 * row (five seconds at most, for rows that another process wrote) or until it is woken. */
#ifndef FAIRLEAD_COORDINATOR_CLOCK_H
#define FAIRLEAD_COORDINATOR_CLOCK_H

#include "coordinator/engine.h"

struct clock *clock_start(const char *database_url, struct engine *engine, struct err *err);
void clock_stop(struct clock *clock); /* NULL is fine */
void clock_wake(struct clock *clock); /* any thread */

#endif
