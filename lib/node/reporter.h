/* Reports to the coordinator: collected, signed together, produced, and acknowledged before anybody goes on.
 *
 * Order reports need no disk: an order whose report was not delivered comes again, because its offset is
 * stored only after it. What a node says of its documents is kept with each document (ratchet.h) and said
 * again at start. One without a link (node_identity.by_file) has no orders, and what it posts is spooled
 * (spool.h). */
#ifndef FAIRLEAD_NODE_REPORTER_H
#define FAIRLEAD_NODE_REPORTER_H

#include "node/node.h"
#include "proto/fairlead.pb-c.h"

/* Each start of the program is a stream of its own: an identity that begins with the time, and is above all
 * that this node had before (kept in its state folder), whatever its clock says. The coordinator believes
 * nothing of an earlier stream. */
struct reporter;
/* `state`: the node's state folder. Class park where the stream cannot be kept. */
struct reporter *reporter_start(const struct node_identity *node, const char *state, struct err *err);
/* The next one, above all before; kept. Who reports by file has one for each. Class park: it cannot be kept.
 */
MUST_CHECK int reporter_next_stream(const char *state, struct uuid *ret, struct err *err);
void reporter_stop(struct reporter *reporter); /* delivers what waits, at most 5 s; NULL is fine */

/* The program ends: callers of reporter_send() wait at most 5 s more. */
void reporter_hurry(struct reporter *reporter);

/* Sends these reports (their numbers are set here) and waits until the broker has them; false when the
 * program ends before that. Packed before it returns, so they may be freed then. */
bool reporter_send(struct reporter *reporter, Fairlead__V1__Report **reports, size_t n);
/* The same without waiting; lost when the program ends. Presence, inventories, and what is said of documents,
 * which the next start says again. One that still waits makes way for a newer word about the same thing. */
void reporter_post(struct reporter *reporter, Fairlead__V1__Report *report);

#endif
