/* Presence: what nodes say of themselves every 10 s. It goes to Redis, which all coordinators share and which
 * may be lost; to PostgreSQL every 20 s, or each time while Redis is away. A node that neither has heard of
 * for 25 s is silent: its row says so, and each instance that it concerns gets a due row. Silence is not
 * looked for while reports wait to be read, or have just begun to be, or after we stood still: then it is
 * ours. */
#ifndef FAIRLEAD_COORDINATOR_PRESENCE_H
#define FAIRLEAD_COORDINATOR_PRESENCE_H

#include "io/broker.h"
#include "io/pg.h"
#include "proto/fairlead.pb-c.h"

#define PRESENCE_TTL_S 25

/* `redis` is "" without one. One per thread: nothing in it is locked. */
struct presence *presence_open(const char *redis);
void presence_close(struct presence *presence); /* NULL is fine */

/* A report came. True: PostgreSQL must hear of it too. */
bool presence_take(struct presence *presence, struct uuid node, const Fairlead__V1__Presence *report);
/* What was last said, as JSON {at, load_milli, memory_free_mb, disk_free_mb, version}; NULL: not known. The
 * caller frees it. */
char *presence_get(struct presence *presence, struct uuid node);
/* Marks the nodes that are silent now; *ret_n is how many. */
MUST_CHECK int presence_find_silent(struct presence *presence, struct pg *pg, const struct broker *broker,
                                    int *ret_n, struct err *err);

#endif
