/* Placement: the second pure function. It sees the nodes of one plane, with what is reserved on each, and one
 * instance that waits; it reserves by changing the node's counts, so that a loop over all that wait sees what
 * it has given away. Serial per plane: the caller holds the plane's lock. */
#ifndef FAIRLEAD_MODEL_PLACE_H
#define FAIRLEAD_MODEL_PLACE_H

#include "base/mem.h"
#include "model/rows.h"

struct placement {
    struct node *host, *edge; /* NULL: no room, see reason */
    struct node *prober;      /* who watches it; NULL: the plane has none */
    int64_t port;
    const char *reason; /* one sentence: which resource is short */
};

/* Of the hosts that have all labels that the instance requires, the one with most of those that it prefers,
 * then with the largest share of free memory (of equals, the one with fewer other duties), the first edge,
 * the lowest free port of the host, and one of the probers, spread by the instance's identity. */
struct placement place(struct node *nodes, size_t n, const struct instance *waiting, struct arena *arena);

#endif
