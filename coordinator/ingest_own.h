/* For the files of the ingest: ingest.c reads and stores, ingest_read.c says what of a record is believed. */
#ifndef FAIRLEAD_COORDINATOR_INGEST_OWN_H
#define FAIRLEAD_COORDINATOR_INGEST_OWN_H

#include "coordinator/ingest.h"
#include "coordinator/presence.h"
#include "io/kcons.h"

#include <pthread.h>
#include <stdatomic.h>

#define RECORDS_MAX 256
#define HAUL_BYTES (4 << 20) /* of records: a haul ends with the one that goes beyond */

struct ingest {
    struct ingest_conf conf;
    pthread_t thread;
    atomic_bool stopping;
    struct pg *pg;
    struct kcons *kcons;
    struct presence *presence;
};

/* What was read in one go. */
struct haul {
    struct arena arena;
    struct kcons_record records[RECORDS_MAX];
    size_t n, bytes;
    struct bytes record; /* that is being read, as it came */
    struct vec keys;     /* struct node_key, of ingest_read.c */
    struct vec inputs;   /* struct input * */
    struct vec dead;     /* struct dead_letter * */
    struct vec seen_ids, seen_versions;
};

struct dead_letter {
    struct uuid id, node_id;
    const char *source, *reason;
    struct bytes bytes;
    int64_t created_at;
};

/* Verifies and parses the records in hand: inputs for the engine, presence that PostgreSQL must hear of, and
 * what could not be believed. Inventories are answered on the way. Class retry. */
MUST_CHECK int ingest_read(struct ingest *ingest, struct haul *haul, struct err *err);
/* A record, or a report, that nobody can use. `bytes` are in the haul's arena, or empty. */
void ingest_keep_dead(struct haul *haul, struct uuid node_id, const char *reason, struct bytes bytes);

#endif
