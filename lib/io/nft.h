/* The guard between apps and the rest (design section 6), by the `nft` command, without a shell. One table
 * per node. Inwards: a port that an app is published on admits the edge of that app and nobody else, before
 * Docker's DNAT; where the edge is this very machine, only the user that it runs as; and a container's own
 * address admits nobody who did not come by the port. Outwards: an app reaches nothing of its host but names
 * (port 53) and the edge that it is served by, and none of the closed networks but its host's resolvers
 * there. Every call may run twice; a foreign hand in the table is found by nft_guard_holds() and put right by
 * nft_guard_ensure(). */
#ifndef FAIRLEAD_IO_NFT_H
#define FAIRLEAD_IO_NFT_H

#include "base/err.h"

#include <stdbool.h>

struct nft_guard {
    const char *node;    /* hex: names the table */
    const char *address; /* IPv4 that the port is bound to */
    unsigned port;
    const char *edge;      /* IPv4 that may connect */
    const char *edge_user; /* who, when the edge is on this machine */
    const char *bridge;    /* the app's network interface, or NULL while it is not there */
    unsigned door;         /* of the edge: where browsers come in, and the app too, by its own name */
    const char *apps;      /* network from which every app of this node has its own; "": the Engine chooses */
    const char *closed;    /* networks that apps do not reach, with commas between; "": none */
};

/* Class park: this is not a list of networks, such as "169.254.0.0/16, 192.0.2.1", or one of them holds
 * another. */
MUST_CHECK int nft_networks_check(const char *networks, struct err *err);

/* Class park when nft is not installed or there is no such user; retry when it refused or did not end in
 * time. */
MUST_CHECK int nft_guard_ensure(const struct nft_guard *guard, struct err *err);
bool nft_guard_holds(const struct nft_guard *guard);
/* Whatever stands in the table for that port goes, and interfaces that are gone; a missing table has none. */
MUST_CHECK int nft_guard_remove(const struct nft_guard *guard, struct err *err);

#endif
