#include "coordinator/topic_step.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"
#include "coordinator/republish.h"
#include "coordinator/topics.h"
#include "io/kprod.h"
#include "io/pg.h"
#include "sql/queries.h"

#include <stdlib.h>

#define LOOK_US (5 * CLOCK_S)   /* for rows that another process wrote */
#define CHECK_US (30 * CLOCK_S) /* whether the broker still has what it had */
#define EVENTS_S (30 * 86400)   /* as long as their topic keeps them */

struct topic_step {
    const char *database_url;
    struct broker broker;
    void (*wake_clock)(void *arg);
    void *arg;
    struct loop *loop;
    int64_t checked_at;
    unsigned lost; /* what must be published again, once its topics are there */
    struct pg *pg;
    struct kprod *kprod;
};

struct there {
    struct arena *arena;
    struct vec names; /* const char * */
};

static void note_topic(void *arg, const char *topic) {
    struct there *there = arg;
    *vec_add(there->arena, &there->names, const char *) = arena_strdup(there->arena, topic);
}

static bool has(const struct there *there, const char *name) {
    for (size_t i = 0; i < there->names.n; i++)
        if (str_eq(*vec_at(&there->names, const char *, i), name))
            return true;
    return false;
}

static int make_fixed(struct topic_step *step, const struct there *there, struct err *err) {
    for (int i = 0; i < topic_rows_n; i++) {
        bool made = false;
        if (has(there, topic_rows[i].name))
            continue;
        if (kprod_make_topic(step->kprod, topic_rows[i].name, topic_rows[i].partitions,
                             topic_rows[i].settings, &made, err) < 0)
            return -1;
        if (made)
            step->lost = REPUBLISH_ALL; /* at the very first start there is nothing to publish */
    }
    return 0;
}

/* One request says what the broker has. What it lost, a topic or its whole disk, is made and filled again. */
static int check_broker(struct topic_step *step, struct arena *arena, struct err *err) {
    struct there there = {.arena = arena};
    struct vec lost = {0};
    if (clock_mono_us() - step->checked_at < CHECK_US && step->checked_at)
        return 0;
    /* The names first: a topic that somebody makes meanwhile must not look lost. */
    cleanup_result PGresult *res = pg_run(step->pg, query_topics_names, NULL, err);
    if (!res || kprod_topics(step->kprod, note_topic, &there, err) < 0 || make_fixed(step, &there, err) < 0)
        return -1;
    for (int row = 0; row < PQntuples(res); row++)
        if (!has(&there, pg_text(res, row, 0)))
            *vec_add(arena, &lost, const char *) = arena_strdup(arena, pg_text(res, row, 0));
    if (lost.n) {
        struct pg_params params = {.arena = arena};
        pg_params_texts(&params, lost.items, lost.n);
        cleanup_result PGresult *marked = pg_run(step->pg, query_topics_lost, &params, err);
        if (!marked)
            return -1;
        step->lost |= REPUBLISH_DOCUMENTS;
        log_error("the broker has lost topics; they are made and filled again", LOG_I("topics", lost.n));
    }
    step->checked_at = clock_mono_us();
    return 0;
}

static int fill_again(struct topic_step *step, struct err *err) {
    if (!step->lost)
        return 0;
    for (unsigned part = 1; part <= REPUBLISH_ALL;
         part <<= 1) { /* what is done is not done again when the next fails */
        int64_t rows = 0;
        if (!(step->lost & part))
            continue;
        if (republish(step->pg, part, EVENTS_S, &rows, err) < 0)
            return -1;
        if (rows)
            log_warn("published again", LOG_I("rows", rows));
        step->lost &= ~part;
    }
    step->wake_clock(step->arg);
    return 0;
}

static int make_one(struct topic_step *step, const char *topic, struct arena *arena, struct err *err) {
    struct pg_params params = {.arena = arena};
    if (kprod_make_topic(step->kprod, topic, 1, topic_node_settings, NULL, err) < 0)
        return -1;
    pg_params_text(&params, topic);
    /* The node is ready, and what waits for room may find it: one statement. */
    PGresult *res = pg_run(step->pg, query_topics_ready, &params, err);
    PQclear(res);
    step->wake_clock(step->arg);
    return res ? 0 : -1;
}

static int make_wanted(struct topic_step *step, struct err *err) {
    struct arena arena = {0};
    if (!pg_is_usable(step->pg)) {
        pg_close(step->pg);
        step->pg = pg_open(step->database_url, PG_PINNED_PLANS "statement_timeout=10s", err);
    }
    if (!step->kprod)
        step->kprod = kprod_open(&step->broker, "fairlead-topics", NULL, NULL, err);
    if (!step->pg || !step->kprod)
        return -1;
    int rc = check_broker(step, &arena, err);
    cleanup_result PGresult *res = rc == 0 ? pg_run(step->pg, query_topics_unready, NULL, err) : NULL;
    if (!res)
        rc = -1;
    for (int row = 0; rc == 0 && row < PQntuples(res); row++)
        rc = make_one(step, pg_text(res, row, 0), &arena, err);
    if (rc == 0)
        rc = fill_again(step, err);
    arena_release(&arena);
    return rc;
}

static int64_t turn(const struct loop *loop, void *arg) {
    struct err err = {0};
    (void)loop;
    if (make_wanted(arg, &err) == 0)
        return LOOK_US;
    log_warn("topics", LOG_S("error", err.text));
    struct topic_step *step = arg;
    kprod_close(mem_steal(step->kprod)); /* it has gone through an outage (io/kprod.h) */
    return CLOCK_S;
}

void topic_step_wake(struct topic_step *step) {
    loop_wake(step->loop);
}

struct topic_step *topic_step_start(const char *database_url, const struct broker *broker,
                                    void (*wake_clock)(void *arg), void *arg, struct err *err) {
    struct topic_step *step = mem_alloc(sizeof *step);
    step->database_url = database_url;
    step->broker = *broker;
    step->wake_clock = wake_clock;
    step->arg = arg;
    step->loop = loop_start(turn, step, err);
    if (step->loop)
        return step;
    free(step);
    return NULL;
}

void topic_step_stop(struct topic_step *step) {
    if (!step)
        return;
    loop_stop(step->loop);
    kprod_close(step->kprod);
    pg_close(step->pg);
    free(step);
}
