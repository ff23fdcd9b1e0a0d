#include "coordinator/clock.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "sql/queries.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define SLEEP_MAX_US (5 * CLOCK_S)

struct clock {
    const char *database_url;
    struct engine *engine;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool woken, stopping;
    struct pg *pg;
};

static struct input *add_input(struct arena *arena, struct vec *inputs, enum input_kind kind) {
    struct input *input = arena_new(arena, struct input);
    input->kind = kind;
    input->seed = uuid_seed(clock_wall_us());
    *vec_add(arena, inputs, struct input *) = input;
    return input;
}

static int find_timer(const char *name) {
    for (int i = 0; i < TIMER_KIND_COUNT; i++)
        if (str_eq(timer_kind_names[i], name))
            return i;
    return -1;
}

static int collect(struct clock *clock, struct arena *arena, struct vec *inputs, struct err *err) {
    cleanup_result PGresult *timers = pg_run(clock->pg, query_timers_due, NULL, err);
    cleanup_result PGresult *steps = timers ? pg_run(clock->pg, query_steps_due, NULL, err) : NULL;
    if (!steps)
        return -1;
    for (int row = 0; row < PQntuples(timers); row++) {
        int kind = find_timer(pg_text(timers, row, 0));
        if (kind < 0)
            continue;
        struct input *input = add_input(arena, inputs, INPUT_TIMER);
        input->timer_kind = kind;
        input->timer_subject = arena_strdup(arena, pg_text(timers, row, 1));
        if (kind == TIMER_EXPIRE || kind == TIMER_INSTANCE)
            (void)uuid_parse(input->timer_subject, &input->instance_id);
    }
    for (int row = 0; row < PQntuples(steps); row++)
        add_input(arena, inputs, INPUT_DUE)->instance_id = pg_uuid(steps, row, 0);
    return 0;
}

/* Everything due, until nothing is. Returns how long to sleep. */
static int64_t run_due(struct clock *clock, struct err *err) {
    bool stuck = false;
    for (;;) {
        struct arena arena = {0};
        struct vec inputs = {0};
        size_t failed = 0;
        int rc = collect(clock, &arena, &inputs, err);
        if (rc == 0 && inputs.n)
            failed = engine_run_all(clock->engine, inputs.items, inputs.n);
        for (size_t i = 0; rc == 0 && i < inputs.n; i++)
            failed += (*vec_at(&inputs, struct input *, i))->refused != NULL;
        stuck = stuck || failed;
        arena_release(&arena);
        if (rc < 0)
            return -1;
        if (failed || !inputs.n)
            break;
    }
    cleanup_result PGresult *silent = pg_run(clock->pg, query_nodes_silent, NULL, err);
    cleanup_result PGresult *next = silent ? pg_run(clock->pg, query_next_due, NULL, err) : NULL;
    if (!next)
        return -1;
    if (stuck)
        return CLOCK_S;
    if (PQgetisnull(next, 0, 1))
        return SLEEP_MAX_US;
    int64_t us = pg_int(next, 0, 1);
    return us < 0 ? 0 : us > SLEEP_MAX_US ? SLEEP_MAX_US : us + 500;
}

static void sleep_until_woken(struct clock *clock, int64_t us) {
    struct timespec until = clock_mono_timespec(clock_mono_us() + us);
    pthread_mutex_lock(&clock->mutex);
    while (!clock->woken && !clock->stopping)
        if (pthread_cond_clockwait(&clock->cond, &clock->mutex, CLOCK_MONOTONIC, &until) != 0)
            break;
    clock->woken = false;
    pthread_mutex_unlock(&clock->mutex);
}

static void *run(void *arg) {
    struct clock *clock = arg;
    while (!clock->stopping) {
        struct err err = {0};
        int64_t us = -1;
        if (!pg_is_usable(clock->pg)) {
            pg_close(clock->pg);
            clock->pg = pg_open(clock->database_url, "statement_timeout=10s jit=off", &err);
        }
        if (clock->pg)
            us = run_due(clock, &err);
        if (us < 0) {
            log_warn("clock", LOG_S("error", err.text));
            us = CLOCK_S;
        }
        sleep_until_woken(clock, us);
    }
    pg_close(clock->pg);
    return NULL;
}

void clock_wake(struct clock *clock) {
    pthread_mutex_lock(&clock->mutex);
    clock->woken = true;
    pthread_cond_signal(&clock->cond);
    pthread_mutex_unlock(&clock->mutex);
}

struct clock *clock_start(const char *database_url, struct engine *engine, struct err *err) {
    struct clock *clock = mem_alloc(sizeof *clock);
    clock->database_url = database_url;
    clock->engine = engine;
    pthread_mutex_init(&clock->mutex, NULL);
    pthread_cond_init(&clock->cond, NULL);
    if (pthread_create(&clock->thread, NULL, run, clock) == 0)
        return clock;
    (void)err_errno(err, ERR_RETRY, "cannot start a thread");
    free(clock);
    return NULL;
}

void clock_stop(struct clock *clock) {
    if (!clock)
        return;
    pthread_mutex_lock(&clock->mutex);
    clock->stopping = true;
    pthread_cond_signal(&clock->cond);
    pthread_mutex_unlock(&clock->mutex);
    pthread_join(clock->thread, NULL);
    pthread_cond_destroy(&clock->cond);
    pthread_mutex_destroy(&clock->mutex);
    free(clock);
}
