#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/retry.h"
#include "base/rnd.h"
#include "base/str.h"
#include "coordinator/engine_own.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define BATCH_MAX 128
#define QUEUE_MAX 8192
#define SLICE_MAX 1024              /* of what one source hands over at once: there is always room for it */
#define RETRY_MAX_US (20 * CLOCK_S) /* of one batch, through restarts of the database */
#define AGAIN_US (40 * CLOCK_MS)    /* before a batch runs again, longer and longer */
#define AGAIN_MAX_US (2 * CLOCK_S)
#define HELD_TRIES 3              /* of an input alone, about a row that somebody holds */
#define HELD_MAX_US (4 * CLOCK_S) /* for a batch that met such rows: others have their deadlines */

#define SETTINGS                                                                                             \
    PG_PINNED_PLANS "lock_timeout=1s statement_timeout=10s idle_in_transaction_session_timeout=5s"

struct engine {
    struct engine_conf conf;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    struct input *head, **tail;
    size_t queued, running;
    int64_t began, batches, inputs; /* see engine_look() */
    bool stopping;
    struct pg *pg;
    struct release_cache *releases;
    struct carriage carriage;
};

/* ---- queue ---- */

bool engine_submit(struct engine *engine, struct input *input) {
    bool taken = false;
    input->next = NULL;
    pthread_mutex_lock(&engine->mutex);
    if (engine->queued < QUEUE_MAX && !engine->stopping) {
        *engine->tail = input;
        engine->tail = &input->next;
        engine->queued++;
        taken = true;
        pthread_cond_signal(&engine->cond);
    }
    pthread_mutex_unlock(&engine->mutex);
    return taken;
}

static void put_back(struct engine *engine, struct input *input) {
    pthread_mutex_lock(&engine->mutex);
    input->next = NULL;
    *engine->tail = input;
    engine->tail = &input->next;
    engine->queued++;
    pthread_mutex_unlock(&engine->mutex);
}

struct waiting {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    size_t left, failed;
    struct err err; /* of the last that failed */
};

static void count_down(struct input *input, const struct err *err) {
    struct waiting *waiting = input->owner;
    pthread_mutex_lock(&waiting->mutex);
    /* What will never be stored is refused; what may be is tried again by its source. */
    if (err && err->cls != ERR_RETRY) {
        input->refused = "it could not be stored";
    } else if (err) {
        waiting->failed++;
        waiting->err = *err;
    }
    if (--waiting->left == 0)
        pthread_cond_signal(&waiting->cond);
    pthread_mutex_unlock(&waiting->mutex);
}

static size_t run_slice(struct engine *engine, struct input **inputs, size_t n, struct err *err) {
    struct waiting waiting = {
        .mutex = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER, .left = n};
    for (size_t i = 0; i < n; i++) {
        inputs[i]->done = count_down;
        inputs[i]->owner = &waiting;
        if (!engine_submit(engine, inputs[i])) {
            struct err full = {.cls = ERR_RETRY, .text = "the engine is behind"};
            count_down(inputs[i], &full);
        }
    }
    pthread_mutex_lock(&waiting.mutex);
    while (waiting.left)
        pthread_cond_wait(&waiting.cond, &waiting.mutex);
    pthread_mutex_unlock(&waiting.mutex);
    if (waiting.failed)
        *err = waiting.err;
    return waiting.failed;
}

/* A source may bring more than the queue holds: refusing what does not fit would refuse it for ever, because
 * all of it comes again. */
size_t engine_run_all(struct engine *engine, struct input **inputs, size_t n, struct err *err) {
    size_t failed = 0;
    for (size_t i = 0; i < n && !failed; i += SLICE_MAX)
        failed = run_slice(engine, inputs + i, n - i < SLICE_MAX ? n - i : SLICE_MAX, err);
    return failed;
}

/* ---- a batch, until it is stored ---- */

static void count_step(const struct step *step, int64_t now) {
    if (step->change == ROW_KEPT || step->ended_at != now)
        return;
    if (step->state == STEP_DONE)
        metric_observe_us(METRIC_STEP_SECONDS, step_rows[step->kind].name, now - step->started_at);
    else if (step->state == STEP_PARKED)
        metric_add(METRIC_STEPS_PARKED, step_rows[step->kind].name, 1);
}

static void count(const struct engine *engine, const struct engine_batch *batch) {
    metric_add(METRIC_BATCHES, engine->conf.name, 1);
    metric_add(METRIC_INPUTS, engine->conf.name, (int64_t)batch->n);
    for (size_t s = 0; s < batch->base.subjects_n; s++) {
        const struct subject *subject = batch->base.subjects[s];
        for (size_t i = 0; i < subject->past.n; i++)
            count_step(vec_at(&subject->past, struct step, i), batch->base.now);
        for (size_t i = 0; i < subject->steps.n; i++)
            count_step(vec_at(&subject->steps, struct step, i), batch->base.now);
    }
}

/* An earlier run of one that was tried may have been committed, its reply lost: what it wrote is not known
 * here, so everybody looks. */
static void wake(const struct engine *engine, const struct engine_batch *batch) {
    unsigned lanes = batch->base.lanes;
    bool due = batch->base.due_now;
    for (size_t i = 0; i < batch->n; i++)
        if (batch->inputs[i].input->tried) {
            lanes = UINT32_MAX;
            due = true;
        }
    if (lanes && engine->conf.wake_relay)
        engine->conf.wake_relay(engine->conf.arg, lanes);
    if (due && engine->conf.wake_clock)
        engine->conf.wake_clock(engine->conf.arg);
    if (lanes && engine->conf.changed)
        engine->conf.changed(engine->conf.arg);
}

static void finish(struct engine *engine, struct engine_batch *batch) {
    count(engine, batch);
    (void)fault_reach(FAULT_ENGINE_COMMITTED);
    wake(engine, batch);
    size_t skipped = 0;
    for (size_t i = 0; i < batch->n; i++) {
        struct batch_input *in = &batch->inputs[i];
        skipped += in->skip;
        if (in->skip)
            put_back(engine, in->input);
        else
            in->input->done(in->input, NULL);
    }
    if (batch->n && skipped == batch->n)
        (void)usleep(2000); /* all of it is held elsewhere: do not spin on the database */
}

static void free_answers(struct input **inputs, size_t n) {
    for (size_t i = 0; i < n; i++) {
        free(inputs[i]->answer.body);
        free(inputs[i]->answer.location);
        inputs[i]->answer = (struct answer){0};
    }
}

static int ensure_connection(struct engine *engine, struct err *err) {
    if (pg_is_usable(engine->pg))
        return 0;
    pg_close(engine->pg);
    engine->pg = pg_open(engine->conf.database_url, SETTINGS, err);
    return engine->pg ? 0 : -1;
}

static void roll_back(struct engine *engine) {
    if (pg_is_usable(engine->pg) && pg_script(engine->pg, "rollback", NULL) < 0)
        pg_close(mem_steal(engine->pg));
}

static struct engine_batch make_batch(struct engine *engine, struct arena *arena, struct input **inputs,
                                      size_t n) {
    struct engine_batch batch = {
        .base = {.arena = arena,
                 .pg = engine->pg,
                 .releases = engine->releases,
                 .carriage = &engine->carriage,
                 .settings = engine->conf.settings,
                 .random = rnd_u64()},
        .inputs = arena_alloc(arena, n * sizeof(struct batch_input)),
        .n = n,
    };
    for (size_t i = 0; i < n; i++)
        batch.inputs[i].input = inputs[i];
    return batch;
}

static void fail_all(struct input **inputs, size_t n, const struct err *err) {
    for (size_t i = 0; i < n; i++)
        inputs[i]->done(inputs[i], err);
}

static void run_until(struct engine *engine, struct input **inputs, size_t n, int64_t give_up, int held_max);

/* A row that somebody holds keeps the others of the batch waiting only for a moment: each goes alone, and
 * whose row it is, is told to come again. */
static void run_singly(struct engine *engine, struct input **inputs, size_t n) {
    int64_t give_up = clock_mono_us() + HELD_MAX_US;
    struct err err = {0};
    size_t done = 0;
    for (; done < n && clock_mono_us() < give_up; done++)
        run_until(engine, inputs + done, 1, give_up, 1);
    (void)err_set(&err, ERR_RETRY, "too many rows are held");
    fail_all(inputs + done, n - done, &err);
}

/* Runs inputs until they are stored, or refused for good, or one alone has met a held row so many times. */
static void run_until(struct engine *engine, struct input **inputs, size_t n, int64_t give_up, int held_max) {
    for (int attempt = 1;; attempt++) {
        struct arena arena = {0};
        struct err err = {0};
        int64_t began = clock_mono_us();
        int rc = ensure_connection(engine, &err);
        if (rc == 0) {
            struct engine_batch batch = make_batch(engine, &arena, inputs, n);
            rc = engine_transact(&batch, engine->conf.skip_locked, &err);
            if (rc == 0)
                finish(engine, &batch);
            else
                roll_back(engine);
            log_debug(LOG_ENGINE, "a batch", LOG_S("engine", engine->conf.name), LOG_I("inputs", n),
                      LOG_I("attempt", attempt), LOG_I("decisions", batch.base.decisions.n),
                      LOG_S("error", rc ? err.text : ""), LOG_I("us", clock_mono_us() - began));
        }
        arena_release(&arena);
        if (rc == 0)
            return;
        free_answers(inputs, n);
        for (size_t i = 0; i < n; i++)
            inputs[i]->tried = true;
        bool held = err.cls == ERR_RETRY && str_eq(err.code, PG_HELD);
        if (held && n > 1) {
            run_singly(engine, inputs, n);
            return;
        }
        /* What is at fault stands alone at last; what took too long may only be too much at once. */
        if ((err.cls != ERR_RETRY || str_eq(err.code, PG_TOO_SLOW)) && n > 1) {
            run_until(engine, inputs, n / 2, give_up, held_max);
            run_until(engine, inputs + n / 2, n - n / 2, give_up, held_max);
            return;
        }
        if (err.cls != ERR_RETRY || clock_mono_us() > give_up || (held && attempt == held_max)) {
            log_error("an input could not be stored", LOG_S("engine", engine->conf.name),
                      LOG_S("error", err.text), LOG_S("class", err_class_name(err.cls)));
            fail_all(inputs, n, &err);
            return;
        }
        metric_add(METRIC_BATCHES_AGAIN, engine->conf.name, 1);
        log_warn("a batch runs again", LOG_S("engine", engine->conf.name), LOG_S("error", err.text),
                 LOG_I("inputs", n), LOG_I("attempt", attempt));
        /* A deadlock or a lock that was held: at once, but not for ever. A database that is away: later. */
        if (attempt > 2 || !pg_is_usable(engine->pg))
            (void)usleep((useconds_t)retry_delay_us(attempt, AGAIN_US, AGAIN_MAX_US, rnd_u64()));
    }
}

static void run_placing(struct engine *engine, struct input *input) {
    struct arena arena = {0};
    struct err err = {0};
    int rc = ensure_connection(engine, &err);
    struct engine_batch batch = make_batch(engine, &arena, NULL, 0);
    if (rc == 0)
        rc = placing_run(&batch.base, input, &err);
    if (rc == 0) {
        finish(engine, &batch);
    } else {
        log_warn("placing failed", LOG_S("error", err.text));
        if (engine->conf.wake_relay) /* it may have been committed, its reply lost */
            engine->conf.wake_relay(engine->conf.arg, UINT32_MAX);
        roll_back(engine);
    }
    arena_release(&arena);
    input->done(input, rc == 0 ? NULL : &err);
}

static void expire(struct input *input) {
    struct err err = {0};
    (void)err_set(&err, ERR_RETRY, "the engine is behind: nothing was done");
    input->done(input, &err);
}

/* Takes what is there, a batch at most; the engine's own thread. */
static size_t take(struct engine *engine, struct input *inputs[BATCH_MAX]) {
    size_t n = 0;
    pthread_mutex_lock(&engine->mutex);
    while (!engine->head && !engine->stopping)
        pthread_cond_wait(&engine->cond, &engine->mutex);
    while (engine->head && n < BATCH_MAX) {
        inputs[n++] = engine->head;
        engine->head = engine->head->next;
        engine->queued--;
    }
    if (!engine->head)
        engine->tail = &engine->head;
    pthread_mutex_unlock(&engine->mutex);
    return n;
}

struct engine_state engine_look(struct engine *engine) {
    pthread_mutex_lock(&engine->mutex);
    struct engine_state state = {
        .name = engine->conf.name,
        .waiting = engine->queued,
        .running = engine->running,
        .running_us = engine->running ? clock_mono_us() - engine->began : 0,
        .batches = engine->batches,
        .inputs = engine->inputs,
    };
    pthread_mutex_unlock(&engine->mutex);
    return state;
}

/* The one that ran is over, the next (none: 0) begins. */
static void note_batch(struct engine *engine, size_t next) {
    pthread_mutex_lock(&engine->mutex);
    engine->batches += engine->running > 0;
    engine->inputs += (int64_t)engine->running;
    engine->running = next;
    engine->began = clock_mono_us();
    pthread_mutex_unlock(&engine->mutex);
}

static void *run(void *arg) {
    struct engine *engine = arg;
    struct input *inputs[BATCH_MAX];
    size_t n;
    while ((n = take(engine, inputs)) > 0) {
        size_t kept = 0;
        note_batch(engine, n);
        for (size_t i = 0; i < n; i++) {
            if (inputs[i]->deadline && !inputs[i]->begun && inputs[i]->deadline < clock_mono_us())
                expire(inputs[i]);
            else if (inputs[i]->kind == INPUT_TIMER && inputs[i]->timer_kind == TIMER_PLACE)
                run_placing(engine, inputs[i]);
            else
                inputs[kept++] = inputs[i];
        }
        for (size_t i = 0; i < kept; i++)
            inputs[i]->begun = true;
        if (kept)
            run_until(engine, inputs, kept, clock_mono_us() + RETRY_MAX_US, HELD_TRIES);
        note_batch(engine, 0);
    }
    return NULL;
}

struct engine *engine_start(const struct engine_conf *conf, struct err *err) {
    struct engine *engine = mem_alloc(sizeof *engine);
    engine->conf = *conf;
    engine->releases = release_cache_new();
    engine->carriage =
        (struct carriage){.signing = conf->signing, .turn = rnd_u64(), .owned = conf->owned_lanes};
    pthread_mutex_init(&engine->mutex, NULL);
    pthread_cond_init(&engine->cond, NULL);
    engine->tail = &engine->head;
    if (pthread_create(&engine->thread, NULL, run, engine) == 0)
        return engine;
    (void)err_errno(err, ERR_RETRY, "cannot start a thread");
    release_cache_free(engine->releases);
    free(engine);
    return NULL;
}

void engine_stop(struct engine *engine) {
    if (!engine)
        return;
    pthread_mutex_lock(&engine->mutex);
    engine->stopping = true;
    pthread_cond_signal(&engine->cond);
    pthread_mutex_unlock(&engine->mutex);
    pthread_join(engine->thread, NULL);
    pg_close(engine->pg);
    release_cache_free(engine->releases);
    pthread_cond_destroy(&engine->cond);
    pthread_mutex_destroy(&engine->mutex);
    free(engine);
}
