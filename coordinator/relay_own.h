/* For the files of the relay: relay.c owns lanes and their rows, relay_send.c makes records of rows. */
#ifndef FAIRLEAD_COORDINATOR_RELAY_OWN_H
#define FAIRLEAD_COORDINATOR_RELAY_OWN_H

#include "base/mem.h"
#include "coordinator/relay.h"
#include "coordinator/topics.h"
#include "io/kprod.h"
#include "io/pg.h"

#include <pthread.h>
#include <stdatomic.h>

struct lane {
    int number;
    bool owned, dirty;
    bool sent;           /* since this was last told (lanes_tell.sql) */
    bool told_waits;     /* what was told last */
    int64_t waits_since; /* the oldest row that is on its way was read then; 0: none is */
    int64_t mark, next_mark, next_mark_at, swept_at;
};

/* One outbox row on its way: how many of its records are not yet reported. */
struct parcel {
    int64_t id;
    int lane;
    int left;
    bool whole; /* all of its records were handed to the producer */
    enum kprod_result worst;
    const char *topic;
    char reason[96];
};

struct relay_thread {
    struct relay *relay;
    pthread_t id;
    int first_lane, lanes_n, linger_ms, wake_fd;
    const char *client;
    struct lane lanes[LANES];
    struct pg *pg;
    struct kprod *kprod;
    struct arena arena;
    struct vec parcels;
    bool alone;    /* a row at a time: one of the last pass was refused, and took along its whole batch */
    uint32_t pass; /* of carry(): reports that come late, of an earlier one, speak of other parcels */
    atomic_uint woken;
    int64_t touched_at; /* when the server last heard that we live */
    int64_t carried_at; /* when the last pass began */
    int64_t away_at;    /* when the broker was last found away; 0: what may be lost has been told again */
};

struct relay {
    struct relay_conf conf;
    struct relay_thread threads[2];
    atomic_bool stopping;
};

/* Queues the records of an outbox row; its parcel says how many are not reported yet. Class retry. */
MUST_CHECK int relay_send_row(struct relay_thread *thread, int lane, PGresult *rows, int row,
                              struct err *err);
/* The kprod_report of a thread: the tag is the pass, and the index of its parcel. */
void relay_reported(void *arg, uint64_t tag, enum kprod_result result, const char *reason);

#endif
