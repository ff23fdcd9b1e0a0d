/* The inbox: the topic of this node's documents, or those of its plane and its tenants, read from their
 * beginning at every start and after every error, no committed offset to trust. At each start it sends an
 * inventory; the coordinator answers with a signed list. In a private plane heartbeats say which tenants
 * there are: until one was heard nothing is new. Without a link (node_identity.by_file) it reads what was
 * brought (bundle.h), and asks for nothing. */
#ifndef FAIRLEAD_NODE_INBOX_H
#define FAIRLEAD_NODE_INBOX_H

#include "node/heartbeat.h"
#include "node/keeper.h"

struct inbox_conf {
    struct node_identity *node;
    struct keeper *keeper;
    struct reporter *reporter;
    struct heartbeat *heartbeat;
    void (*brought)(void *arg); /* without a link: a bundle was read; by the inbox's thread */
    void *arg;
};
/* `conf` is copied. Class retry: no thread. */
struct inbox *inbox_start(const struct inbox_conf *conf, struct err *err);
void inbox_stop(struct inbox *inbox); /* NULL is fine */

#endif
