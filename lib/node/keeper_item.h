/* For the files of the keeper: what it holds, and what it says of it. */
#ifndef FAIRLEAD_NODE_KEEPER_ITEM_H
#define FAIRLEAD_NODE_KEEPER_ITEM_H

#include "node/keeper.h"
#include "node/ratchet.h"

#include <pthread.h>
#include <uthash.h>

#define KEEPER_THREADS 4
#define KEEPER_KEY_SIZE 64
/* Of one part of an inventory, and what else is held of its last instance: below what a record may weigh.
 * Builds with fault points cross the border between parts with a handful. */
#ifdef FAULTS
#define INVENTORY_ENTRIES 4
#else
#define INVENTORY_ENTRIES 2000
#endif

struct item {
    char key[KEEPER_KEY_SIZE]; /* INSTANCE.KIND, or INSTANCE.KIND.LETTER of any set but the first */
    struct uuid instance;
    Fairlead__V1__Document *document; /* what is applied */
    void *envelope;
    size_t envelope_n;
    struct ratchet_number number; /* of what was accepted; may be ahead of `document` at boot */
    struct ratchet_number floor;  /* as the coordinator's list has it */
    bool busy, healthy_saved;
    bool resent;    /* it came again while it was being applied */
    bool below;     /* older than the coordinator's list: a newer one is on its way */
    bool waits;     /* accepted before the topic was read to its end */
    int64_t due_at; /* set by keeper_queue_set() */
    size_t at;      /* in items[] */
    int failures;
    char condition[16], problem[160]; /* last said */
    uint64_t said;                    /* revision that it was said of; 0: nothing was */
    UT_hash_handle hh;                /* by key */
};

struct keeper {
    struct keeper_conf conf;
    pthread_t threads[KEEPER_THREADS];
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    struct item **items; /* a heap by due_at: keeper_queue.c */
    struct item *by_key;
    size_t n;
    const struct item *busy[KEEPER_THREADS]; /* what is being applied */
    bool stopping, open, fresh;
    bool unopened; /* without a link, and never opened: what it has written down came perhaps with an old
                      bundle */
};

/* ---- keeper_queue.c: the mutex is held ---- */

/* items[] has room for it. */
void keeper_queue_add(struct keeper *keeper, struct item *item);
void keeper_queue_set(struct keeper *keeper, struct item *item, int64_t due_at);
/* The one that has been due for longest of those that may be taken; NULL: none. *next: when to look again,
 * set to the next that becomes due where that is earlier. Costs what is due. */
struct item *keeper_queue_first(const struct keeper *keeper, int64_t now,
                                bool (*may)(const struct keeper *keeper, const struct item *item),
                                int64_t *next);

/* ---- keeper_document.c ---- */

/* True for a stack that runs and a watch that looks; everything else has no such difference. */
bool keeper_wants_running(const Fairlead__V1__Document *document);
/* What it is called here: in the ratchet, in logs. */
void keeper_key(const uint8_t instance[16], const char *kind, const char *letter, char out[KEEPER_KEY_SIZE]);
void keeper_key_of(const Fairlead__V1__Document *document, char out[KEEPER_KEY_SIZE]);
/* Is it for this node, and of a set that can be? Its letter becomes part of the names of files. */
bool keeper_addresses(const struct keeper *keeper, const Fairlead__V1__Document *document);
/* Do both want the same? */
bool keeper_same(const Fairlead__V1__Document *a, const Fairlead__V1__Document *b);
/* The caller frees it with fairlead__v1__document__free_unpacked(). */
Fairlead__V1__Document *keeper_copy(const Fairlead__V1__Document *document);
/* What is applied, as it was when it was taken: the item may change meanwhile. */
struct taken {
    Fairlead__V1__Document *document;
    void *envelope;
    size_t envelope_n;
    bool healthy_saved, resent;
    uint64_t said, since; /* since: of the key that signed what is held */
    char condition[16], problem[160];
};

/* keeper_say.c: what was reached is remembered on disk, and told when it is news. The mutex is not held. */
void keeper_conclude(struct keeper *keeper, const char *key, struct taken *taken,
                     struct keeper_outcome *outcome);

#endif
