/* For the files of the ingest: ingest.c reads and stores, ingest_read.c says what of a record is believed,
 * ingest_ask.c answers what nodes ask. */
#ifndef FAIRLEAD_COORDINATOR_INGEST_OWN_H
#define FAIRLEAD_COORDINATOR_INGEST_OWN_H

#include "coordinator/ingest.h"
#include "coordinator/presence.h"
#include "coordinator/shares.h"
#include "io/kcons.h"

#define RECORDS_MAX 256
#define HAUL_BYTES (4 << 20) /* of records: a haul ends with the one that goes beyond */
/* Of one record. A node packs no more (node/reporter.c), however little each says. */
#define REPORTS_MAX 8192

struct ingest {
    struct ingest_conf conf;
    struct loop *loop;
    struct pg *pg;
    struct kcons *kcons;
    struct shares *shares;
    uint32_t read; /* the partitions that it reads now, as bits */
    struct presence *presence;
    struct asking *asking; /* ingest_ask.c: how much each node may still ask */
};

/* Records in hand, and what was made of them. All but the records is made anew at each try. */
struct haul {
    struct arena arena;
    const struct kcons_record *records;
    size_t n;
    struct bytes record; /* that is being read, as it came */
    struct vec keys;     /* struct node_key, of ingest_read.c */
    struct vec inputs;   /* struct input * */
    struct vec dead;     /* struct dead_letter *, one of a record at most */
    size_t unread;       /* records and reports that nobody could read: counted, whatever is kept */
    struct vec seen_ids, seen_versions, seen_doubts, seen_lacks, seen_key_sets, seen_streams, seen_at;
    struct vec asked;    /* struct asked, of ingest_ask.c */
    struct vec unpacked; /* Fairlead__V1__Reports *, for as long as the haul is in hand */
};
void haul_release(struct haul *haul);

struct dead_letter {
    struct uuid id, node_id;
    const char *source, *reason;
    struct bytes bytes;
    int64_t created_at;
};

/* Verifies and parses the records in hand: inputs for the engine, presence that PostgreSQL must hear of,
 * inventories to be answered, and what could not be believed. Class retry. */
MUST_CHECK int ingest_read(struct ingest *ingest, struct haul *haul, struct err *err);
/* Of what one stream says of one document only the last word is looked at (orders all count); what carries
 * sealed boxes is kept, whatever came after it. */
void ingest_fold(struct haul *haul);
/* A record that nobody can use, or that holds such a report; the first reason is kept. `bytes` live as long
 * as the haul, or are empty. */
void ingest_keep_dead(struct haul *haul, struct uuid node_id, const char *reason, struct bytes bytes);

/* An inventory: remembered; one of the same part that came before it in this haul makes way. */
void ingest_ask(struct haul *haul, struct uuid node_id, struct uuid private_plane,
                const Fairlead__V1__Inventory *inventory);
/* Answers them, once the haul is stored; those beyond what a node may ask are left: it asks again. */
void ingest_answer_asked(struct ingest *ingest, struct haul *haul);
void ingest_forget_asking(struct ingest *ingest);

#endif
