/* For the files of the guard: lists of networks, as people write them and as nft shows them. */
#ifndef FAIRLEAD_IO_NFT_OWN_H
#define FAIRLEAD_IO_NFT_OWN_H

#include "base/json.h"
#include "base/str.h"
#include "io/nft.h"

#include <stdint.h>

/* Its first and last address. */
struct nft_network {
    uint32_t first, last;
    int bits;
};

/* The next of a list, with commas or spaces between; *list is moved behind it. False: there is none, or
 * (*bad) it is none. */
bool nft_network_next(const char **list, struct nft_network *ret, bool *bad);
/* "192.0.2.0/24", appended. */
void nft_network_text(struct str *out, const struct nft_network *network);
/* As nft shows it: a prefix, or an address (libnftables-json(5)). The caller owns it. */
json_t *nft_network_json(const struct nft_network *network);
/* Whom this machine asks for names (resolv.conf(5)), as such a list, appended; those that are not IPv4 are
 * none of the guard's. */
void nft_resolvers(struct str *out);

#endif
