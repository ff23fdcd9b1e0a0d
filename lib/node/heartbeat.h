/* The coordinator's heartbeats: that it is heard, and that nothing of what it wants is withheld (protocol
 * section 7). Whoever owns the broker can drop, stop and repeat records; a node that sees it keeps all as it
 * is, deletes nothing, and says so. One that never heard a heartbeat has no doubt: its coordinator may be
 * older than they are. */
#ifndef FAIRLEAD_NODE_HEARTBEAT_H
#define FAIRLEAD_NODE_HEARTBEAT_H

#include "node/envelope.h"
#include "node/keeper.h"

struct heartbeat;

/* `state` remembers the last one in its file "heartbeat", so that an old one is none after a restart. */
struct heartbeat *heartbeat_open(const struct node_identity *node, const char *state, struct err *err);
void heartbeat_close(struct heartbeat *heartbeat); /* NULL is fine */

/* A verified one. The first by a younger key is newer than all before it, whatever their numbers. *ret_ask:
 * what is held is not what it says, so the coordinator should be asked for its list. Class dead: it is
 * another node's, or cannot be read. One that is no newer than the last says nothing, and is no error. */
MUST_CHECK int heartbeat_take(struct heartbeat *heartbeat, const struct opened *opened, struct keeper *keeper,
                              bool *ret_ask, struct err *err);
/* Whose topics a node of a private plane reads, as the last one said. By the thread that takes them. */
const struct uuid *heartbeat_tenants(const struct heartbeat *heartbeat, size_t *ret_n);
/* Another number whenever they have become others. */
unsigned heartbeat_told(const struct heartbeat *heartbeat);
/* The coordinator's clock, at least: it goes on from the last one that was heard by our own, which never
 * jumps, and stands still while this machine is off. 0: none was heard, ever. Any thread. */
int64_t heartbeat_time(const struct heartbeat *heartbeat);
/* Was there one, ever? */
bool heartbeat_is_known(const struct heartbeat *heartbeat);
/* "stale": none was heard that was sent in the last three of its intervals, as far as can be known since the
 * program began. "withheld": twice in a row it was about other documents than are held. Without a link
 * there is no staleness, and withheld is what heartbeat_judge() found last. NULL: no doubt. Any thread. */
const char *heartbeat_doubt(const struct heartbeat *heartbeat);

/* ---- without a link ---- */

/* A bundle is being read: there is doubt until it is judged, because what is to go may stand in it before
 * what is missing from it would be noticed. So there is from the program's start to the first judgement. */
void heartbeat_hold(struct heartbeat *heartbeat);
/* Is what is held what the newest heartbeat said, whichever bundle that came with? */
void heartbeat_judge(struct heartbeat *heartbeat, struct keeper *keeper);
/* The number of the newest: the coordinator's clock then. 0: there was none. */
int64_t heartbeat_newest(const struct heartbeat *heartbeat);

#endif
