/* The keeper of documents: it holds what this node was told, and keeps the machine as it says. Documents of
 * one instance are applied one after another, those of different instances side by side (four at once). What
 * was reached is looked at again every 30 s and whenever something hints at a change; what failed is tried
 * again with growing delays. Worker and agent share it; how a kind of document is applied is theirs to say.
 */
#ifndef FAIRLEAD_NODE_KEEPER_H
#define FAIRLEAD_NODE_KEEPER_H

#include "base/hash.h"
#include "node/node.h"
#include "node/reporter.h"
#include "node/result.h"
#include "proto/fairlead.pb-c.h"

#include <stdbool.h>

/* What applying a document led to; filled by the callback, released by the keeper. */
struct keeper_outcome {
    struct result result;
    bool known; /* set by the keeper: this very revision was healthy once */
    bool cut;   /* the program's own stop cut it short: no failure of the document, nothing is said of it */
    struct arena *arena;
    const char *drift;              /* what was found amiss and put right, in words; NULL: nothing */
    bool news;                      /* the facts are worth a report of their own */
    struct vec delivered, recovery; /* struct keeper_secret */
};
struct keeper_secret {
    const char *name;
    const void *box;
    size_t n;
};

struct keeper_conf {
    const struct node_identity *node;
    const char *state;
    struct reporter *reporter;
    void (*apply)(void *arg, const Fairlead__V1__Document *document, struct keeper_outcome *outcome);
    void *arg;
};

/* The letter of the set that a document is about. */
const char *keeper_letter(const Fairlead__V1__Document *document);

/* Loads the ratchet; begins at once with the last *healthy* documents (or those that say absent or stopped).
 */
struct keeper *keeper_start(const struct keeper_conf *conf, struct err *err);
void keeper_stop(struct keeper *keeper); /* waits for what is being applied; NULL is fine */

/* A verified document; `since`: of the key that signed it. Written to the ratchet before anything is done;
 * lower ones are refused. What a younger key has signed again is kept, and nothing else follows. */
MUST_CHECK int keeper_offer(struct keeper *keeper, const Fairlead__V1__Document *document, uint64_t since,
                            const void *envelope, size_t n, struct err *err);
/* Nothing new is applied before the topic was read to its end; what was accepted till then is applied now. */
void keeper_open(struct keeper *keeper);
/* The coordinator's list, signed by the key of `since`, stands at this revision: an older document of that
 * kind is not acted on, a newer one comes. */
void keeper_floor(struct keeper *keeper, const Fairlead__V1__SignedListEntry *entry, uint64_t since);
/* Something may have changed about this instance (hex): look soon. */
void keeper_hint(struct keeper *keeper, const char *instance);
/* All that is held, with what was last said of each, in parts of some thousand that follow one another;
 * returns how many, at least one. The caller frees them with keeper_inventory_free(). */
size_t keeper_inventory(struct keeper *keeper, const uint8_t nonce[16], Fairlead__V1__Inventory ***ret_parts);
void keeper_inventory_free(Fairlead__V1__Inventory **parts, size_t parts_n);
/* How many documents it holds that want something to be, and the hash of their lines, as of a heartbeat
 * (proto). What a key signed that is retired by now is not among them: the coordinator signs again what it
 * wants. */
void keeper_summary(struct keeper *keeper, uint32_t *ret_n, struct hash *ret);
/* Calls each(arg, kind, condition as last said) for all that is held. */
void keeper_each(struct keeper *keeper, void (*each)(void *arg, const char *kind, const char *condition),
                 void *arg);
/* True when the node knew nothing at start: it then waits for the coordinator's list. */
bool keeper_is_fresh(struct keeper *keeper);

#endif
