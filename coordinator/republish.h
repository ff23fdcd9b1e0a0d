/* Everything can be published again from PostgreSQL (protocol section 5): a broker that lost its last
 * records, a topic or its disk gets them once more, as outbox rows. Readers cope with what comes twice. */
#ifndef FAIRLEAD_COORDINATOR_REPUBLISH_H
#define FAIRLEAD_COORDINATOR_REPUBLISH_H

#include "io/pg.h"

enum republish { REPUBLISH_DOCUMENTS = 1, REPUBLISH_EVENTS = 2, REPUBLISH_ORDERS = 4, REPUBLISH_ALL = 7 };

/* Events of the last so many seconds, 0: all of them. Orders: every open one is due now, as a new attempt.
 * *ret_rows (may be NULL) is how many outbox rows and due rows were written. One transaction per 500 rows. */
MUST_CHECK int republish(struct pg *pg, unsigned what, int64_t events_s, int64_t *ret_rows, struct err *err);

#endif
