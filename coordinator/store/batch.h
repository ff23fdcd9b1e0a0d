/* One transaction of the engine, as the store sees it: load the subjects of some instances under their locks,
 * and write everything that decisions changed, one array statement per table. */
#ifndef FAIRLEAD_COORDINATOR_STORE_BATCH_H
#define FAIRLEAD_COORDINATOR_STORE_BATCH_H

#include "coordinator/signing.h"
#include "io/pg.h"
#include "model/decide.h"
#include "node/envelope.h"

#include <stdatomic.h>

/* Releases are immutable: parsed once, kept for ever. */
struct release_cache;
struct release_cache *release_cache_new(void);
void release_cache_free(struct release_cache *cache);
const struct release *release_cache_get(const struct release_cache *cache, struct uuid id);
/* Takes the release; returns the one that is kept. */
const struct release *release_cache_put(struct release_cache *cache, struct release *release);

/* How what decisions emit is signed and spread over topics and lanes. */
struct carriage {
    struct signing *signing; /* NULL: `keys` is given, and stays */
    const struct sign_keys *keys;
    uint64_t turn;            /* orders of no key go to one partition per batch, another each time */
    const atomic_uint *owned; /* bits of the lanes whose relay lives in this process */
};

struct batch {
    struct arena *arena;
    struct pg *pg;
    struct release_cache *releases;
    struct carriage *carriage;
    struct settings settings;
    int64_t now, epoch;
    uint64_t random;
    struct subject **subjects; /* as locked; NULL-free */
    size_t subjects_n;
    bool asked;           /* the last load asked for instances, and not only for the time */
    struct vec held;      /* struct uuid of instances that another transaction has locked */
    struct vec decisions; /* struct decision *, each of which emits */
    struct vec works;     /* struct work * */
    struct vec fan_out;   /* const char * keys of settled works */
    unsigned lanes;       /* bits of the lanes that got something */
    bool due_now;         /* a row is due at once: somebody must wake the clock */
    int sent;             /* statements whose results batch_read_store() reads */
};

/* Sends lock and load of the instances; with `wait` false those that are locked elsewhere are left out. */
MUST_CHECK int batch_send_load(struct batch *batch, const struct uuid *ids, size_t n, bool wait,
                               struct err *err);
/* Reads what was sent, in the same order, and joins it into subjects; asks once more where releases are not
 * known yet, or nodes have a part in it. */
MUST_CHECK int batch_read_load(struct batch *batch, struct err *err);

/* Puts those that are missing into the cache; in a pipeline of which all was read. */
MUST_CHECK int batch_load_releases(struct batch *batch, const struct uuid *ids, size_t n, struct err *err);

struct subject *batch_subject(const struct batch *batch, struct uuid instance_id);
/* A subject that is made in this batch. */
struct subject *batch_add_subject(struct batch *batch, struct instance *instance,
                                  const struct release *release, const struct plane *plane);

/* A decision with its own seed; what it collects is written by batch_send_store(). */
struct decision *batch_decision(struct batch *batch, struct uuid seed);

/* Sends one statement per table that has anything to write. Reading: batch_read_store(). */
MUST_CHECK int batch_send_store(struct batch *batch, struct err *err);
MUST_CHECK int batch_read_store(struct batch *batch, struct err *err);

/* What the outbox gets (outbox.c). */
struct outbox_row {
    int64_t lane, partition;
    const char *kind, *topic;
    struct bytes key, value;
    struct uuid node_id, instance_id;
    const char *document, *letter; /* of a document: its kind and set */
};
/* Events go by their keys: as they stand in the value of a row, whose `document` says so. */
struct event_key {
    struct uuid instance_id;
    uint64_t sequence; /* big-endian */
};
#define EVENTS_BY_KEY "by key" /* without it, from the version before: identities of events */
struct event_key event_key(struct uuid instance_id, int64_t sequence);
void outbox_events(struct outbox_row *row, const struct vec *keys); /* keys: struct event_key, kept */
MUST_CHECK int batch_collect_outbox(struct batch *batch, struct vec *rows, struct err *err);
MUST_CHECK int batch_send_outbox(struct batch *batch, const struct vec *rows, struct err *err);

/* Rows of planes and nodes, shared with placement. */
extern const struct pg_column plane_columns[], node_columns[];
extern const int plane_columns_n, node_columns_n;

#endif
