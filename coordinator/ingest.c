#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "base/retry.h"
#include "base/rnd.h"
#include "base/str.h"
#include "coordinator/ingest_own.h"
#include "coordinator/topics.h"
#include "sql/queries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REST_US (100 * CLOCK_MS) /* after a turn that failed */
#define LEAVE_US (10 * CLOCK_S)  /* without the database */
#define OWN_TRIES 3              /* of records that fail by themselves, before they are taken apart */
#define AGAIN_US (200 * CLOCK_MS)
#define AGAIN_MAX_US (5 * CLOCK_S)

/* What was read in one go. */
struct catch {
    struct kcons_record records[RECORDS_MAX];
    size_t n, bytes;
};

static const struct pg_column dead_columns[] = {
    PG_COL(struct dead_letter, id, PG_UUID),      PG_COL(struct dead_letter, source, PG_TEXT),
    PG_COL(struct dead_letter, node_id, PG_UUID), PG_COL(struct dead_letter, reason, PG_TEXT),
    PG_COL(struct dead_letter, bytes, PG_BYTES),  PG_COL(struct dead_letter, created_at, PG_TIME),
};

/* Refused reports go by the record that they came in: thousands may be in one. */
static int64_t keep_refused(struct haul *haul) {
    int64_t refused = 0;
    const void *last = NULL;
    for (size_t i = 0; i < haul->inputs.n; i++) {
        const struct input *input = *vec_at(&haul->inputs, struct input *, i);
        if (!input->refused)
            continue;
        refused++;
        if (input->record.p == last)
            continue;
        char node[UUID_TEXT_SIZE];
        last = input->record.p;
        log_warn("a report was refused", LOG_S("reason", input->refused),
                 LOG_S("node", uuid_text(input->node_id, node)));
        ingest_keep_dead(haul, input->node_id, input->refused, input->record);
    }
    return refused;
}

static int store_dead(struct ingest *ingest, struct haul *haul, struct err *err) {
    struct pg_params params = {.arena = &haul->arena};
    if (!haul->dead.n)
        return 0;
    pg_params_rows(&params, dead_columns, sizeof dead_columns / sizeof *dead_columns, haul->dead.items,
                   haul->dead.n);
    PGresult *res = pg_run(ingest->pg, query_dead_letters_insert, &params, err);
    PQclear(res);
    return res ? 0 : -1;
}

static int store_seen(struct ingest *ingest, struct haul *haul, struct err *err) {
    struct pg_params params = {.arena = &haul->arena};
    if (!haul->seen_ids.n)
        return 0;
    pg_params_uuids(&params, haul->seen_ids.items, haul->seen_ids.n);
    pg_params_texts(&params, haul->seen_versions.items, haul->seen_versions.n);
    pg_params_texts(&params, haul->seen_doubts.items, haul->seen_doubts.n);
    pg_params_texts(&params, haul->seen_lacks.items, haul->seen_lacks.n);
    pg_params_ints(&params, haul->seen_key_sets.items, haul->seen_key_sets.n);
    pg_params_uuids(&params, haul->seen_streams.items, haul->seen_streams.n);
    pg_params_ints(&params, haul->seen_at.items, haul->seen_at.n);
    cleanup_result PGresult *back = pg_run(ingest->pg, query_nodes_seen, &params, err);
    if (back && PQntuples(back))
        ingest->conf.wake_clock(ingest->conf.arg); /* instances of one that was silent are due */
    return back ? 0 : -1;
}

static int ensure_connection(struct ingest *ingest, struct err *err) {
    if (pg_is_usable(ingest->pg))
        return 0;
    pg_close(ingest->pg);
    ingest->pg = pg_open(ingest->conf.database_url, PG_PINNED_PLANS "statement_timeout=10s", err);
    return ingest->pg ? 0 : -1;
}

/* Reads what the records say and stores all of it, or says why not. Answers come after that, once. */
static int take_haul(struct ingest *ingest, struct haul *haul, struct err *err) {
    int64_t began = clock_mono_us();
    if (ensure_connection(ingest, err) < 0 || ingest_read(ingest, haul, err) < 0)
        return -1;
    (void)fault_reach(FAULT_INGEST_POLLED);
    if (haul->inputs.n && engine_run_all(ingest->conf.engine, haul->inputs.items, haul->inputs.n, err) > 0)
        return -1;
    int64_t refused = keep_refused(haul);
    if (store_dead(ingest, haul, err) < 0 || store_seen(ingest, haul, err) < 0)
        return -1;
    metric_add(METRIC_REPORTS, "taken", (int64_t)haul->inputs.n - refused);
    metric_add(METRIC_REPORTS, "refused", refused);
    metric_add(METRIC_REPORTS, "dead", (int64_t)haul->unread);
    log_debug(LOG_INGEST, "a haul", LOG_I("records", haul->n), LOG_I("reports", haul->inputs.n),
              LOG_I("refused", refused), LOG_I("unread", haul->unread), LOG_I("us", clock_mono_us() - began));
    (void)fault_reach(FAULT_INGEST_COMMITTED);
    ingest_answer_asked(ingest, haul);
    return 0;
}

/* A record that cannot be stored, and is alone: its bytes, for whoever finds out why. */
static int keep_record(struct ingest *ingest, const struct kcons_record *record, const char *why,
                       struct err *err) {
    struct haul haul = {.unread = 1};
    struct uuid node = {0};
    if (record->key_n == sizeof node.b)
        memcpy(node.b, record->key, sizeof node.b);
    ingest_keep_dead(&haul, node, arena_printf(&haul.arena, "it cannot be stored: %s", why),
                     (struct bytes){record->value, record->value_n});
    int rc = ensure_connection(ingest, err);
    if (rc == 0)
        rc = store_dead(ingest, &haul, err);
    if (rc == 0)
        metric_add(METRIC_REPORTS, "dead", 1);
    haul_release(&haul);
    return rc;
}

/* Is it what we bring that fails, and not the database as such, or somebody who holds a row? */
static bool is_of_the_haul(struct ingest *ingest, const struct err *err) {
    static const char *const passing[] = {PG_AWAY, PG_READ_ONLY, PG_HELD, ""};
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        if (err->cls == ERR_RETRY && str_eq(err->code, passing[i]))
            return false;
    return pg_is_usable(ingest->pg);
}

/* Stores records, however often it takes: what fails by itself is halved until it stands alone, and then kept
 * as bytes. -1: the database is away, or the program ends; they come again. */
static int store_records(struct ingest *ingest, const struct loop *loop, const struct kcons_record *records,
                         size_t n, struct err *err) {
    int64_t give_up = clock_mono_us() + LEAVE_US;
    int own = 0;
    for (int tries = 1;; tries++) {
        struct haul haul = {.records = records, .n = n};
        *err = (struct err){0};
        int rc = take_haul(ingest, &haul, err);
        haul_release(&haul);
        if (rc == 0)
            return 0;
        if (loop_is_ending(loop) || (!pg_is_usable(ingest->pg) && clock_mono_us() > give_up))
            return -1;
        log_warn("ingest tries again", LOG_S("error", err->text), LOG_I("records", n), LOG_I("tries", tries));
        own += is_of_the_haul(ingest, err);
        if (own >= OWN_TRIES && n > 1) {
            rc = store_records(ingest, loop, records, n / 2, err);
            return rc < 0 ? rc : store_records(ingest, loop, records + n / 2, n - n / 2, err);
        }
        char why[sizeof err->text];
        (void)snprintf(why, sizeof why, "%s", err->text);
        if (own >= OWN_TRIES && keep_record(ingest, records, why, err) == 0) {
            log_error("a record cannot be stored: its bytes are kept", LOG_S("error", why));
            return 0;
        }
        (void)usleep((useconds_t)retry_delay_us(tries, AGAIN_US, AGAIN_MAX_US, rnd_u64()));
    }
}

static void finish_records(struct ingest *ingest, const struct catch *catch) {
    for (size_t i = 0; i < catch->n; i++)
        kcons_done(ingest->kcons, catch->records[i].topic, catch->records[i].partition,
                   catch->records[i].offset, catch->records[i].assignment);
}

static int poll_records(struct ingest *ingest, struct catch *catch, struct err *err) {
    int timeout_ms = 500;
    while (catch->n < RECORDS_MAX && catch->bytes < HAUL_BYTES) {
        int got = kcons_poll(ingest->kcons, timeout_ms, &catch->records[catch->n], err);
        if (got < 0 && catch->n) { /* what is in hand comes first; the error will come again */
            *err = (struct err){0};
            return 0;
        }
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        catch->bytes += catch->records[catch->n++].value_n;
        timeout_ms = 0;
    }
    return 0;
}

/* Reads what is this coordinator's part. */
static int follow_shares(struct ingest *ingest, struct err *err) {
    uint32_t wanted = shares_get(ingest->shares);
    if (!ingest->kcons)
        ingest->kcons =
            kcons_open_share(&ingest->conf.broker, "fairlead-ingest", "fairlead-ingest", TOPIC_REPORTS, err);
    if (!ingest->kcons)
        return -1;
    if (wanted == ingest->read)
        return 0;
    if (kcons_take(ingest->kcons, wanted, err) < 0)
        return -1;
    ingest->read = wanted;
    shares_read(ingest->shares, wanted);
    return 0;
}

/* What was not stored is read again, by whoever reads on. */
static void leave(struct ingest *ingest) {
    kcons_close(mem_steal(ingest->kcons));
    ingest->read = 0;
    shares_read(ingest->shares, 0);
}

/* What has come in half a second, until it is stored. */
static int64_t turn(const struct loop *loop, void *arg) {
    struct ingest *ingest = arg;
    struct catch catch = {0};
    struct err err = {0};
    int rc = follow_shares(ingest, &err);
    if (rc == 0)
        rc = poll_records(ingest, &catch, &err);
    if (rc < 0)
        log_warn("ingest", LOG_S("error", err.text));
    bool leaves = rc < 0 && err.cls == ERR_DEAD;
    if (rc == 0 && catch.n) {
        /* What was read stays in hand until it is stored: reading on would skip it. */
        rc = store_records(ingest, loop, catch.records, catch.n, &err);
        if (rc == 0)
            finish_records(ingest, &catch);
        else
            shares_rest(ingest->shares); /* who can store gets the partitions */
        leaves = rc < 0;
    }
    for (size_t i = 0; i < catch.n; i++)
        kcons_release(&catch.records[i]);
    if (leaves)
        leave(ingest);
    return rc < 0 ? REST_US : 0;
}

struct ingest *ingest_start(const struct ingest_conf *conf, struct err *err) {
    struct ingest *ingest = mem_alloc(sizeof *ingest);
    ingest->conf = *conf;
    ingest->presence = presence_open(conf->redis);
    ingest->shares = shares_start(conf->database_url, topic_partitions(TOPIC_REPORTS), err);
    ingest->loop = ingest->shares ? loop_start(turn, ingest, err) : NULL;
    if (ingest->loop)
        return ingest;
    shares_stop(ingest->shares);
    presence_close(ingest->presence);
    free(ingest);
    return NULL;
}

void ingest_stop(struct ingest *ingest) {
    if (!ingest)
        return;
    loop_stop(ingest->loop);
    kcons_close(ingest->kcons); /* commits what was done, before the partitions are anybody's */
    shares_stop(ingest->shares);
    pg_close(ingest->pg);
    presence_close(ingest->presence);
    ingest_forget_asking(ingest);
    free(ingest);
}
