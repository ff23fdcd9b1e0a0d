/* What a node holds against what it should hold (protocol section 7). Compared both ways, per document:
 * wanted and missing or older on the node, or newer here: sent again. Unknown here: told to the operator and
 * left alone, never answered with `absent`. The answer is a signed list under the node's nonce.
 * `private_plane`: nil, or that of the node: the list goes there,
 * and documents to their tenants. *ret_compared: documents that were looked at, which is what it cost. */
#ifndef FAIRLEAD_COORDINATOR_INVENTORY_H
#define FAIRLEAD_COORDINATOR_INVENTORY_H

#include "base/uuid.h"
#include "coordinator/signing.h"
#include "io/pg.h"
#include "proto/fairlead.pb-c.h"

MUST_CHECK int inventory_answer(struct pg *pg, struct signing *signing, struct uuid node_id,
                                struct uuid private_plane, const Fairlead__V1__Inventory *inventory,
                                int64_t *ret_compared, struct err *err);

#endif
