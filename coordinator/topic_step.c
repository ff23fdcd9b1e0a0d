#include "coordinator/topic_step.h"

#include "base/clock.h"
#include "base/log.h"
#include "coordinator/topics.h"
#include "io/kprod.h"
#include "io/pg.h"
#include "sql/queries.h"

#include <pthread.h>
#include <stdlib.h>

#define LOOK_US (5 * CLOCK_S) /* for rows that another process wrote */

struct topic_step {
    const char *database_url, *brokers;
    void (*wake_clock)(void *arg);
    void *arg;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool woken, stopping, fixed_made;
    struct pg *pg;
    struct kprod *kprod;
};

static int make_fixed(struct topic_step *step, struct err *err) {
    for (int i = 0; i < topic_rows_n; i++)
        if (kprod_make_topic(step->kprod, topic_rows[i].name, topic_rows[i].partitions,
                             topic_rows[i].settings, err) < 0)
            return -1;
    step->fixed_made = true;
    return 0;
}

static int make_one(struct topic_step *step, const char *topic, struct arena *arena, struct err *err) {
    struct pg_params params = {.arena = arena};
    if (kprod_make_topic(step->kprod, topic, 1, topic_node_settings, err) < 0)
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
        step->pg = pg_open(step->database_url, "statement_timeout=10s jit=off", err);
    }
    if (!step->kprod)
        step->kprod = kprod_open(step->brokers, "fairlead-topics", 0, NULL, NULL, err);
    if (!step->pg || !step->kprod || (!step->fixed_made && make_fixed(step, err) < 0))
        return -1;
    cleanup_result PGresult *res = pg_run(step->pg, query_topics_unready, NULL, err);
    int rc = res ? 0 : -1;
    for (int row = 0; rc == 0 && row < PQntuples(res); row++)
        rc = make_one(step, pg_text(res, row, 0), &arena, err);
    arena_release(&arena);
    return rc;
}

static void *run(void *arg) {
    struct topic_step *step = arg;
    for (;;) {
        struct err err = {0};
        int rc = make_wanted(step, &err);
        if (rc < 0)
            log_warn("topics", LOG_S("error", err.text));
        struct timespec until = clock_mono_timespec(clock_mono_us() + (rc < 0 ? CLOCK_S : LOOK_US));
        pthread_mutex_lock(&step->mutex);
        while (!step->woken && !step->stopping)
            if (pthread_cond_clockwait(&step->cond, &step->mutex, CLOCK_MONOTONIC, &until) != 0)
                break;
        step->woken = false;
        bool stopping = step->stopping;
        pthread_mutex_unlock(&step->mutex);
        if (stopping)
            break;
    }
    kprod_close(step->kprod);
    pg_close(step->pg);
    return NULL;
}

void topic_step_wake(struct topic_step *step) {
    pthread_mutex_lock(&step->mutex);
    step->woken = true;
    pthread_cond_signal(&step->cond);
    pthread_mutex_unlock(&step->mutex);
}

struct topic_step *topic_step_start(const char *database_url, const char *brokers,
                                    void (*wake_clock)(void *arg), void *arg, struct err *err) {
    struct topic_step *step = mem_alloc(sizeof *step);
    step->database_url = database_url;
    step->brokers = brokers;
    step->wake_clock = wake_clock;
    step->arg = arg;
    pthread_mutex_init(&step->mutex, NULL);
    pthread_cond_init(&step->cond, NULL);
    if (pthread_create(&step->thread, NULL, run, step) == 0)
        return step;
    (void)err_errno(err, ERR_RETRY, "cannot start a thread");
    free(step);
    return NULL;
}

void topic_step_stop(struct topic_step *step) {
    if (!step)
        return;
    pthread_mutex_lock(&step->mutex);
    step->stopping = true;
    pthread_cond_signal(&step->cond);
    pthread_mutex_unlock(&step->mutex);
    pthread_join(step->thread, NULL);
    pthread_cond_destroy(&step->cond);
    pthread_mutex_destroy(&step->mutex);
    free(step);
}
