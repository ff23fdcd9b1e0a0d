#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/metrics.h"
#include "coordinator/ingest_own.h"
#include "coordinator/topics.h"
#include "sql/queries.h"

#include <stdlib.h>
#include <unistd.h>

#define LEAVE_US (10 * CLOCK_S) /* without the database */

static const struct pg_column dead_columns[] = {
    PG_COL(struct dead_letter, id, PG_UUID),      PG_COL(struct dead_letter, source, PG_TEXT),
    PG_COL(struct dead_letter, node_id, PG_UUID), PG_COL(struct dead_letter, reason, PG_TEXT),
    PG_COL(struct dead_letter, bytes, PG_BYTES),  PG_COL(struct dead_letter, created_at, PG_TIME),
};

static int store_rest(struct ingest *ingest, struct haul *haul, struct err *err) {
    int64_t refused = 0;
    for (size_t i = 0; i < haul->inputs.n; i++) {
        const struct input *input = *vec_at(&haul->inputs, struct input *, i);
        if (!input->refused)
            continue;
        refused++;
        log_warn("a report was refused", LOG_S("reason", input->refused));
        ingest_keep_dead(haul, input->event.node_id, input->refused, input->record);
    }
    metric_add(METRIC_REPORTS, "taken", (int64_t)haul->inputs.n - refused);
    metric_add(METRIC_REPORTS, "refused", refused);
    metric_add(METRIC_REPORTS, "dead", (int64_t)haul->dead.n - refused);
    if (haul->dead.n) {
        struct pg_params params = {.arena = &haul->arena};
        pg_params_rows(&params, dead_columns, sizeof dead_columns / sizeof *dead_columns, haul->dead.items,
                       haul->dead.n);
        PGresult *res = pg_run(ingest->pg, query_dead_letters_insert, &params, err);
        PQclear(res);
        if (!res)
            return -1;
    }
    if (!haul->seen_ids.n)
        return 0;
    struct pg_params params = {.arena = &haul->arena};
    pg_params_uuids(&params, haul->seen_ids.items, haul->seen_ids.n);
    pg_params_texts(&params, haul->seen_versions.items, haul->seen_versions.n);
    cleanup_result PGresult *back = pg_run(ingest->pg, query_nodes_seen, &params, err);
    if (!back)
        return -1;
    if (PQntuples(back))
        ingest->conf.wake_clock(ingest->conf.arg); /* instances of one that was silent are due */
    return 0;
}

static int ensure_connection(struct ingest *ingest, struct err *err) {
    if (pg_is_usable(ingest->pg))
        return 0;
    pg_close(ingest->pg);
    ingest->pg = pg_open(ingest->conf.database_url, PG_PINNED_PLANS "statement_timeout=10s", err);
    return ingest->pg ? 0 : -1;
}

static int take_haul(struct ingest *ingest, struct haul *haul, struct err *err) {
    if (ensure_connection(ingest, err) < 0)
        return -1;
    if (ingest_read(ingest, haul, err) < 0)
        return -1;
    (void)fault_reach(FAULT_INGEST_POLLED);
    if (haul->inputs.n && engine_run_all(ingest->conf.engine, haul->inputs.items, haul->inputs.n) > 0)
        return err_set(err, ERR_RETRY, "reports could not be stored");
    if (store_rest(ingest, haul, err) < 0)
        return -1;
    (void)fault_reach(FAULT_INGEST_COMMITTED);
    for (size_t i = 0; i < haul->n; i++)
        kcons_done(ingest->kcons, haul->records[i].topic, haul->records[i].partition, haul->records[i].offset,
                   haul->records[i].assignment);
    return 0;
}

static int poll_haul(struct ingest *ingest, struct haul *haul, struct err *err) {
    int timeout_ms = 500;
    while (haul->n < RECORDS_MAX && haul->bytes < HAUL_BYTES) {
        int got = kcons_poll(ingest->kcons, timeout_ms, &haul->records[haul->n], err);
        if (got < 0 && haul->n) { /* what is in hand comes first; the error will come again */
            *err = (struct err){0};
            return 0;
        }
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        haul->bytes += haul->records[haul->n++].value_n;
        timeout_ms = 0;
    }
    return 0;
}

/* Who cannot store does not read: another coordinator, which can, gets the partitions. */
static int open_consumer(struct ingest *ingest, struct err *err) {
    static const char *const topics[] = {TOPIC_REPORTS, NULL};
    if (!ingest->kcons && ensure_connection(ingest, err) < 0)
        return -1;
    if (!ingest->kcons)
        ingest->kcons =
            kcons_open_group(ingest->conf.brokers, "fairlead-ingest", "fairlead-ingest", topics, err);
    return ingest->kcons ? 0 : -1;
}

static void *run(void *arg) {
    struct ingest *ingest = arg;
    while (!atomic_load(&ingest->stopping)) {
        struct haul haul = {0};
        struct err err = {0};
        int rc = open_consumer(ingest, &err);
        if (rc == 0)
            rc = poll_haul(ingest, &haul, &err);
        bool leave = false;
        int64_t give_up = clock_mono_us() + LEAVE_US;
        if (rc == 0 && haul.n)
            /* What was read stays in hand until it is stored: reading on would skip it. */
            while ((rc = take_haul(ingest, &haul, &err)) < 0 && !atomic_load(&ingest->stopping)) {
                leave = !pg_is_usable(ingest->pg) && clock_mono_us() > give_up;
                if (leave)
                    break; /* not stored, so read again: by whom the group chooses */
                log_warn("ingest tries again", LOG_S("error", err.text));
                arena_release(&haul.arena);
                haul.keys = haul.inputs = haul.dead = haul.seen_ids = haul.seen_versions = (struct vec){0};
                (void)usleep(200000);
            }
        else if (rc < 0)
            log_warn("ingest", LOG_S("error", err.text));
        for (size_t i = 0; i < haul.n; i++)
            kcons_release(&haul.records[i]);
        arena_release(&haul.arena);
        if (rc < 0) {
            if (leave || err.cls == ERR_DEAD) {
                kcons_close(ingest->kcons);
                ingest->kcons = NULL;
            }
            (void)usleep(100000);
        }
    }
    kcons_close(ingest->kcons);
    pg_close(ingest->pg);
    return NULL;
}

struct ingest *ingest_start(const struct ingest_conf *conf, struct err *err) {
    struct ingest *ingest = mem_alloc(sizeof *ingest);
    ingest->conf = *conf;
    ingest->presence = presence_open(conf->redis);
    if (pthread_create(&ingest->thread, NULL, run, ingest) == 0)
        return ingest;
    (void)err_errno(err, ERR_RETRY, "cannot start a thread");
    free(ingest);
    return NULL;
}

void ingest_stop(struct ingest *ingest) {
    if (!ingest)
        return;
    atomic_store(&ingest->stopping, true);
    pthread_join(ingest->thread, NULL);
    presence_close(ingest->presence);
    free(ingest);
}
