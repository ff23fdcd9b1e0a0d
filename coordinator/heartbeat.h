/* Heartbeats (protocol section 7): each node is told, every interval, what it should hold, in one hash. */
#ifndef FAIRLEAD_COORDINATOR_HEARTBEAT_H
#define FAIRLEAD_COORDINATOR_HEARTBEAT_H

#include "coordinator/store/batch.h"
#include "io/pg.h"
#include "io/sign.h"

/* To those whose last one is that old; some hundred at a time. Costs what they hold. Class retry. */
MUST_CHECK int heartbeat_send(struct pg *pg, const struct sign_keys *keys, int64_t interval_s,
                              struct err *err);

/* The key and the value of one, in the arena. The row begins with node, number, and what heartbeat_of() of
 * the schema gives. */
void heartbeat_record(const struct sign_keys *keys, PGresult *res, int row, int64_t interval_s,
                      struct arena *arena, struct outbox_row *ret);

#endif
