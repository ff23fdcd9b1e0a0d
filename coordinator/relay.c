#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/str.h"
#include "coordinator/relay_own.h"
#include "coordinator/republish.h"
#include "coordinator/store/batch.h"
#include "sql/queries.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MARK_US (10 * CLOCK_S)  /* rows below the mark were deleted at least so long ago */
#define SWEEP_US (60 * CLOCK_S) /* how often everything is looked at */
#define AGAIN_S 120             /* of events, after the broker was away */
#define BACK_US (3 * CLOCK_S)   /* without a new failure: the broker is back */
#define FLUSH_US (8 * CLOCK_S)  /* above message.timeout.ms (io/kprod.c) */
#define TOUCH_US (1 * CLOCK_S)  /* below idle_session_timeout: the server takes lanes from a stopped relay */

#define SETTINGS                                                                                             \
    PG_PINNED_PLANS                                                                                          \
    "synchronous_commit=off max_parallel_workers_per_gather=0 idle_session_timeout=5s statement_timeout=5s"

static void forget_lane(struct relay_thread *thread, struct lane *lane) {
    *lane = (struct lane){.number = lane->number};
    atomic_fetch_and(thread->relay->conf.owned, ~(1u << lane->number));
}

static int connect_all(struct relay_thread *thread, struct err *err) {
    if (!pg_is_usable(thread->pg)) {
        pg_close(thread->pg);
        for (int i = 0; i < thread->lanes_n; i++) {
            thread->lanes[i].number = thread->first_lane + i;
            forget_lane(thread, &thread->lanes[i]);
        }
        thread->touched_at = 0;
        thread->pg = pg_open(thread->relay->conf.database_url, SETTINGS, err);
        if (!thread->pg || pg_script(thread->pg, "listen fairlead_relay", err) < 0)
            return -1;
    }
    if (thread->kprod && kprod_fatal(thread->kprod)) {
        kprod_close(thread->kprod);
        thread->kprod = NULL;
    }
    if (!thread->kprod)
        thread->kprod = kprod_open(&thread->relay->conf.broker, thread->client, relay_reported, thread, err);
    return thread->kprod ? 0 : -1;
}

/* Lanes that nobody has, by try: whoever waited for one would hold a snapshot and stop vacuum. */
static int try_lanes(struct relay_thread *thread, struct err *err) {
    struct pg_params params = {.arena = &thread->arena};
    int64_t wanted[LANES];
    size_t n = 0;
    for (int i = 0; i < thread->lanes_n; i++)
        if (!thread->lanes[i].owned)
            wanted[n++] = thread->lanes[i].number;
    if (n == 0)
        return 0;
    pg_params_ints(&params, wanted, n);
    cleanup_result PGresult *res = pg_run(thread->pg, query_lanes_try, &params, err);
    if (!res)
        return -1;
    for (int row = 0; row < PQntuples(res); row++) {
        struct lane *lane = &thread->lanes[pg_int(res, row, 0) - thread->first_lane];
        *lane =
            (struct lane){.number = lane->number, .owned = true, .dirty = true, .swept_at = clock_mono_us()};
        atomic_fetch_or(thread->relay->conf.owned, 1u << lane->number);
        log_info("lane taken", LOG_I("lane", lane->number));
    }
    return 0;
}

/* How the lanes fare, where that changed: `doctor` judges by age. */
static int tell_lanes(struct relay_thread *thread, struct err *err) {
    struct pg_params params = {.arena = &thread->arena};
    struct telling {
        int64_t lane, waits_us;
        bool sent;
    } *tellings = arena_alloc(&thread->arena, LANES * sizeof *tellings);
    static const struct pg_column columns[] = {PG_COL(struct telling, lane, PG_INT),
                                               PG_COL(struct telling, waits_us, PG_INT),
                                               PG_COL(struct telling, sent, PG_BOOL)};
    const void *rows[LANES];
    size_t n = 0;
    int64_t now = clock_mono_us();
    for (int i = 0; i < thread->lanes_n; i++) {
        struct lane *lane = &thread->lanes[i];
        bool waits = lane->waits_since && now - lane->waits_since > TOUCH_US;
        if (!lane->owned || !(lane->sent || waits || lane->told_waits))
            continue;
        tellings[n] = (struct telling){lane->number, waits ? now - lane->waits_since : -1, lane->sent};
        rows[n] = &tellings[n];
        n++;
        lane->told_waits = waits;
        lane->sent = false;
    }
    if (!n)
        return 0;
    pg_params_rows(&params, columns, 3, rows, n);
    PGresult *res = pg_run(thread->pg, query_lanes_tell, &params, err);
    PQclear(res);
    return res ? 0 : -1;
}

/* The server hears that we live, and says which lanes are still ours. */
static int touch(struct relay_thread *thread, struct err *err) {
    unsigned ours = 0;
    cleanup_result PGresult *res = pg_run(thread->pg, query_lanes_touch, NULL, err);
    if (!res)
        return -1;
    for (int row = 0; row < PQntuples(res); row++)
        ours |= 1u << pg_int(res, row, 0);
    for (int i = 0; i < thread->lanes_n; i++)
        if (thread->lanes[i].owned && !(ours & (1u << thread->lanes[i].number))) {
            log_warn("lane lost", LOG_I("lane", thread->lanes[i].number));
            forget_lane(thread, &thread->lanes[i]);
        }
    thread->touched_at = clock_mono_us();
    return tell_lanes(thread, err);
}

/* Of the lanes whose rows are on their way. */
static bool owns_all(const struct relay_thread *thread) {
    for (size_t i = 0; i < thread->parcels.n; i++) {
        int lane = vec_at(&thread->parcels, struct parcel, i)->lane;
        if (!thread->lanes[lane - thread->first_lane].owned)
            return false;
    }
    return true;
}

/* The broker answers within message.timeout.ms, or librdkafka gives up: either way all is reported. That may
 * be longer than the server waits for a word of ours. False: purged, some of it may have been taken. */
static bool flush(struct relay_thread *thread) {
    struct err lost = {0};
    for (int64_t until = clock_mono_us() + FLUSH_US; clock_mono_us() < until;) {
        if (kprod_flush(thread->kprod, (int)(TOUCH_US / CLOCK_MS)))
            return true;
        /* Lanes that are another's now: what is still in flight would overtake it. */
        if (touch(thread, &lost) < 0 || !owns_all(thread))
            break;
    }
    kprod_purge(thread->kprod);
    return false;
}

static int read_lane(struct relay_thread *thread, struct lane *lane, struct err *err) {
    struct pg_params params = {.arena = &thread->arena};
    int64_t now = clock_mono_us();
    bool sweep = now - lane->swept_at > SWEEP_US;
    if (sweep)
        lane->swept_at = now;
    pg_params_int(&params, lane->number);
    pg_params_int(&params, sweep ? 0 : lane->mark);
    cleanup_result PGresult *rows = pg_run(thread->pg, query_outbox_read, &params, err);
    if (!rows || fault_reach(FAULT_RELAY_READ))
        return rows ? err_set(err, ERR_RETRY, "fault point") : -1;
    lane->dirty = PQntuples(rows) == 512; /* as in outbox_read.sql: there may be more */
    if (PQntuples(rows) && !lane->waits_since)
        lane->waits_since = now;
    log_debug(LOG_RELAY, "a lane was read", LOG_I("lane", lane->number), LOG_I("rows", PQntuples(rows)),
              LOG_I("from", sweep ? 0 : lane->mark), LOG_I("alone", thread->alone),
              LOG_I("us", clock_mono_us() - now));
    for (int row = 0; row < PQntuples(rows); row++) {
        if (relay_send_row(thread, lane->number, rows, row, err) < 0)
            return -1;
        if (thread->alone && !flush(thread))
            return err_set(err, ERR_RETRY, "the broker has not answered");
    }
    return 0;
}

static void raise_mark(struct lane *lane, int64_t deleted) {
    int64_t now = clock_mono_us();
    if (deleted > lane->next_mark && now - lane->next_mark_at > MARK_US) {
        lane->mark = lane->next_mark;
        lane->next_mark = deleted;
        lane->next_mark_at = now;
    }
}

static bool is_delivered(const struct parcel *parcel) {
    return parcel->whole && parcel->left == 0 && parcel->worst == KPROD_DELIVERED;
}

static int delete_delivered(struct relay_thread *thread, struct lane *lane, struct err *err) {
    struct vec ids = {0};
    int64_t highest = 0;
    bool waits = false;
    for (size_t i = 0; i < thread->parcels.n; i++) {
        const struct parcel *parcel = vec_at(&thread->parcels, struct parcel, i);
        if (parcel->lane != lane->number)
            continue;
        waits = waits || !is_delivered(parcel);
        if (!is_delivered(parcel))
            continue;
        *vec_add(&thread->arena, &ids, int64_t) = parcel->id;
        highest = parcel->id > highest ? parcel->id : highest;
    }
    lane->waits_since = waits ? lane->waits_since : 0;
    if (!ids.n)
        return 0;
    lane->sent = true;
    struct pg_params params = {.arena = &thread->arena};
    pg_params_int(&params, lane->number);
    pg_params_ints(&params, ids.items, ids.n);
    PGresult *res = pg_run(thread->pg, query_outbox_delete, &params, err);
    PQclear(res);
    if (!res)
        return -1;
    metric_add(METRIC_RELAYED, "delivered", (int64_t)ids.n);
    log_debug(LOG_RELAY, "rows were acknowledged", LOG_I("lane", lane->number), LOG_I("rows", ids.n),
              LOG_I("highest", highest), LOG_I("mark", lane->mark));
    raise_mark(lane, highest);
    return 0;
}

/* What was refused: held back for the operator, or sent again from the oldest row. */
static int sort_out(struct relay_thread *thread, struct err *err) {
    bool again = false, alone = false, missing = false;
    for (size_t i = 0; i < thread->parcels.n; i++) {
        const struct parcel *parcel = vec_at(&thread->parcels, struct parcel, i);
        if (is_delivered(parcel))
            continue;
        thread->lanes[parcel->lane - thread->first_lane].dirty = true;
        missing = missing || parcel->worst == KPROD_UNKNOWN_TOPIC;
        /* librdkafka says it of all that travelled together, though one record was at fault. */
        bool surely = thread->alone || thread->parcels.n == 1;
        if (parcel->worst != KPROD_PERMANENT || !surely) {
            again = again || parcel->worst != KPROD_PERMANENT;
            alone = alone || (parcel->worst == KPROD_PERMANENT && !surely);
            metric_add(METRIC_RELAYED, "again", 1);
            continue;
        }
        struct pg_params params = {.arena = &thread->arena};
        pg_params_int(&params, parcel->lane);
        pg_params_int(&params, parcel->id);
        pg_params_text(&params, parcel->reason);
        metric_add(METRIC_RELAYED, "held", 1);
        log_error("a record is held back", LOG_S("topic", parcel->topic), LOG_S("reason", parcel->reason));
        PGresult *res = pg_run(thread->pg, query_outbox_hold, &params, err);
        PQclear(res);
        if (!res)
            return -1;
    }
    thread->alone = alone;
    if (missing)
        thread->relay->conf.miss_topics(thread->relay->conf.arg);
    return again ? err_set(err, ERR_RETRY, "the broker has not taken everything") : 0;
}

/* One pass: what the dirty lanes hold is sent, and deleted when it is acknowledged. */
static int carry(struct relay_thread *thread, struct err *err) {
    int rc = 0;
    thread->pass++;
    thread->parcels = (struct vec){0};
    for (int i = 0; i < thread->lanes_n && rc == 0; i++)
        if (thread->lanes[i].owned && thread->lanes[i].dirty)
            rc = read_lane(thread, &thread->lanes[i], err);
    if (!thread->parcels.n)
        return rc;
    if (rc == 0 && fault_reach(FAULT_RELAY_QUEUED))
        rc = err_set(err, ERR_RETRY, "fault point");
    if (rc < 0)
        kprod_purge(thread->kprod);
    else
        (void)flush(thread);
    (void)fault_reach(FAULT_RELAY_DELIVERED);
    for (int i = 0; i < thread->lanes_n; i++)
        if (delete_delivered(thread, &thread->lanes[i], err) < 0)
            return -1;
    (void)fault_reach(FAULT_RELAY_DELETED);
    return rc < 0 ? rc : sort_out(thread, err);
}

static void mark_woken(struct relay_thread *thread) {
    uint64_t count;
    unsigned lanes = atomic_exchange(&thread->woken, 0);
    (void)!read(thread->wake_fd, &count, sizeof count);
    for (int i = 0; i < thread->lanes_n; i++)
        if (lanes & (1u << thread->lanes[i].number))
            thread->lanes[i].dirty = true;
}

/* A broker acknowledges before it flushes: after it was away, what it had last may be gone (protocol section
 * 5). Documents are told again by inventories, orders by their deadlines; nobody would miss an event. */
static int tell_events_again(struct relay_thread *thread, struct err *err) {
    int64_t now = clock_mono_us();
    (void)kprod_poll(thread->kprod, 0);
    if (kprod_was_away(thread->kprod))
        thread->away_at = now;
    if (thread->first_lane != LANE_EVENTS || !thread->lanes[0].owned || !thread->away_at ||
        now - thread->away_at < BACK_US) /* once for each time that it was away */
        return 0;
    if (republish(thread->pg, REPUBLISH_EVENTS, AGAIN_S, NULL, err) < 0)
        return -1;
    thread->away_at = 0;
    thread->lanes[0].dirty = true;
    return 0;
}

/* Passes that follow one another closely are one: a pass costs a request for each partition that it has
 * records for. */
static void linger(struct relay_thread *thread) {
    int64_t left = thread->carried_at + thread->linger_ms * CLOCK_MS - clock_mono_us();
    if (left > 0)
        (void)usleep((useconds_t)left);
    thread->carried_at = clock_mono_us();
}

static bool anything_dirty(const struct relay_thread *thread) {
    for (int i = 0; i < thread->lanes_n; i++)
        if (thread->lanes[i].owned && thread->lanes[i].dirty)
            return true;
    return false;
}

static void *run(void *arg) {
    struct relay_thread *thread = arg;
    int failures = 0;
    while (!atomic_load(&thread->relay->stopping)) {
        struct err err = {0};
        int rc = connect_all(thread, &err);
        int64_t now = clock_mono_us();
        if (rc == 0 && now - thread->touched_at > TOUCH_US) {
            rc = touch(thread, &err);
            if (rc == 0)
                rc = try_lanes(thread, &err);
            struct err again = {0};
            if (rc == 0 && tell_events_again(thread, &again) < 0) /* what is new goes on */
                log_warn("events are not told again yet", LOG_S("error", again.text));
            for (int i = 0; i < thread->lanes_n; i++)
                if (now - thread->lanes[i].swept_at > SWEEP_US)
                    thread->lanes[i].dirty = true;
        }
        mark_woken(thread);
        if (rc == 0 && anything_dirty(thread)) {
            linger(thread);
            mark_woken(thread);
            rc = carry(thread, &err);
        }
        arena_release(&thread->arena);
        thread->parcels = (struct vec){0};
        if (rc < 0) {
            for (int i = 0; i < thread->lanes_n; i++)
                thread->lanes[i].dirty = true; /* what was read and not sent is read again */
            failures++;
            log_warn("relay", LOG_S("thread", thread->client), LOG_S("error", err.text),
                     LOG_I("failures", failures));
            (void)usleep(failures < 10 ? 50000 : 500000);
            continue;
        }
        if (failures)
            kprod_close(mem_steal(thread->kprod)); /* it has gone through an outage (io/kprod.h) */
        failures = 0;
        if (!anything_dirty(thread) && pg_wait_notify(thread->pg, TOUCH_US, thread->wake_fd))
            for (int i = 0; i < thread->lanes_n; i++)
                thread->lanes[i].dirty = true;
    }
    kprod_close(thread->kprod);
    pg_close(thread->pg);
    return NULL;
}

void relay_wake(struct relay *relay, unsigned lanes) {
    uint64_t one = 1;
    for (int i = 0; i < 2; i++) {
        struct relay_thread *thread = &relay->threads[i];
        unsigned mine = ((1u << thread->lanes_n) - 1) << thread->first_lane;
        if (!(lanes & mine))
            continue;
        atomic_fetch_or(&thread->woken, lanes & mine);
        (void)!write(thread->wake_fd, &one, sizeof one);
    }
}

struct relay *relay_start(const struct relay_conf *conf, struct err *err) {
    struct relay *relay = mem_alloc(sizeof *relay);
    relay->conf = *conf;
    relay->threads[0] = (struct relay_thread){
        .first_lane = LANE_EVENTS, .lanes_n = 1, .linger_ms = 50, .client = "fairlead-events"};
    relay->threads[1] = (struct relay_thread){
        .first_lane = 1, .lanes_n = LANES - 1, .linger_ms = 0, .client = "fairlead-relay"};
    for (int i = 0; i < 2; i++) {
        relay->threads[i].relay = relay;
        relay->threads[i].wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (pthread_create(&relay->threads[i].id, NULL, run, &relay->threads[i]) != 0) {
            (void)err_errno(err, ERR_RETRY, "cannot start a thread");
            return NULL;
        }
    }
    return relay;
}

void relay_stop(struct relay *relay) {
    if (!relay)
        return;
    atomic_store(&relay->stopping, true);
    relay_wake(relay, UINT32_MAX);
    for (int i = 0; i < 2; i++) {
        pthread_join(relay->threads[i].id, NULL);
        (void)close(relay->threads[i].wake_fd);
    }
    free(relay);
}
