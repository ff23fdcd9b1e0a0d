#include "coordinator/shares.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "io/pg.h"
#include "sql/queries.h"

#include <stdatomic.h>
#include <stdlib.h>

#define TOUCH_US                                                                                             \
    (1 * CLOCK_S) /* below idle_session_timeout: the server takes partitions from a stopped reader */
#define REST_US (5 * CLOCK_S)

#define SETTINGS                                                                                             \
    PG_PINNED_PLANS                                                                                          \
    "application_name=fairlead-shares synchronous_commit=off idle_session_timeout=5s statement_timeout=4s"

struct shares {
    const char *database_url;
    int partitions;
    struct loop *loop;
    struct pg *pg;
    atomic_uint wanted, read;
    atomic_bool must_rest;
    int64_t rests_until;
};

/* The lowest `n` of the bits. */
static uint32_t lowest(uint32_t bits, int n) {
    uint32_t kept = 0;
    for (; n > 0 && bits; n--) {
        kept |= bits & -bits;
        bits &= bits - 1;
    }
    return kept;
}

static int touch(struct pg *pg, uint32_t *ret_held, int *ret_readers, struct err *err) {
    cleanup_result PGresult *res = pg_run(pg, query_partitions_touch, NULL, err);
    if (!res)
        return -1;
    *ret_held = (uint32_t)pg_int(res, 0, 0);
    *ret_readers = (int)pg_int(res, 0, 1);
    return 0;
}

static int leave(struct pg *pg, uint32_t partitions, struct err *err) {
    struct arena arena = {0};
    struct pg_params params = {.arena = &arena};
    pg_params_int(&params, partitions);
    PGresult *res = pg_run(pg, query_partitions_leave, &params, err);
    PQclear(res);
    arena_release(&arena);
    return res ? 0 : -1;
}

/* As many as `most` of those that are nobody's. */
static int try(struct pg *pg, int partitions, int most, uint32_t *held, struct err *err) {
    struct arena arena = {0};
    struct pg_params params = {.arena = &arena};
    pg_params_int(&params, partitions);
    pg_params_int(&params, most);
    cleanup_result PGresult *res = pg_run(pg, query_partitions_try, &params, err);
    for (int row = 0; res && row < PQntuples(res); row++)
        *held |= 1u << pg_int(res, row, 0);
    arena_release(&arena);
    return res ? 0 : -1;
}

static int share(struct shares *shares, struct err *err) {
    uint32_t held;
    int readers;
    if (!pg_is_usable(shares->pg)) {
        pg_close(shares->pg);
        atomic_store(&shares->wanted, 0); /* with the session they are anybody's */
        shares->pg = pg_open(shares->database_url, SETTINGS, err);
    }
    if (!shares->pg || touch(shares->pg, &held, &readers, err) < 0)
        return -1;
    int part = (shares->partitions + readers - 1) / readers;
    int missing = part - __builtin_popcount(held);
    if (missing > 0 && try(shares->pg, shares->partitions, missing, &held, err) < 0)
        return -1;
    uint32_t wanted = lowest(held, part), before = atomic_exchange(&shares->wanted, wanted);
    if (wanted != before)
        log_info("partitions of the reports", LOG_I("read", __builtin_popcount(wanted)),
                 LOG_I("of", shares->partitions), LOG_I("readers", readers));
    uint32_t over = held & ~wanted & ~atomic_load(&shares->read);
    return over ? leave(shares->pg, over, err) : 0;
}

static int64_t turn(const struct loop *loop, void *arg) {
    struct shares *shares = arg;
    struct err err = {0};
    int64_t now = clock_mono_us();
    (void)loop;
    if (atomic_exchange(&shares->must_rest, false)) {
        pg_close(mem_steal(shares->pg));
        atomic_store(&shares->wanted, 0);
        shares->rests_until = now + REST_US;
    }
    if (now < shares->rests_until)
        return shares->rests_until - now;
    if (share(shares, &err) < 0) {
        log_warn("partitions of the reports", LOG_S("error", err.text));
        if (!pg_is_usable(shares->pg))
            atomic_store(&shares->wanted, 0);
    }
    return TOUCH_US;
}

struct shares *shares_start(const char *database_url, int partitions, struct err *err) {
    struct shares *shares = mem_alloc(sizeof *shares);
    shares->database_url = database_url;
    shares->partitions = partitions;
    shares->loop = loop_start(turn, shares, err);
    if (shares->loop)
        return shares;
    free(shares);
    return NULL;
}

void shares_stop(struct shares *shares) {
    if (!shares)
        return;
    loop_stop(shares->loop);
    pg_close(shares->pg);
    free(shares);
}

uint32_t shares_get(const struct shares *shares) {
    return atomic_load(&shares->wanted);
}

void shares_read(struct shares *shares, uint32_t partitions) {
    atomic_store(&shares->read, partitions);
    loop_wake(shares->loop);
}

void shares_rest(struct shares *shares) {
    atomic_store(&shares->must_rest, true);
    loop_wake(shares->loop);
}
