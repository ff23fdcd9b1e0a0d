/* The inbox: the topic of this node's documents, or those of its plane and its tenants, read from their
 * beginning at every start and after every error, no committed offset to trust. At each start it sends an
 * inventory; the coordinator answers with a signed list. In a private plane heartbeats say which tenants
 * there are: until one was heard nothing is new. */
#ifndef FAIRLEAD_NODE_INBOX_H
#define FAIRLEAD_NODE_INBOX_H

#include "node/heartbeat.h"
#include "node/keeper.h"

struct inbox *inbox_start(struct node_identity *node, struct keeper *keeper, struct reporter *reporter,
                          struct heartbeat *heartbeat, struct err *err);
void inbox_stop(struct inbox *inbox); /* NULL is fine */

#endif
