#include "coordinator/follow.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "io/pg.h"
#include "sql/queries.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct follower {
    struct follower *next;
    struct httpd_stream *stream;
    struct uuid instance_id;
    int64_t after;
    bool gone; /* the client has left: the thread frees it */
    struct follow *follow;
};

struct follow {
    const char *database_url;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    struct follower *followers;
    atomic_bool woken;
    bool stopping;
};

/* The server's thread: the stream ends here, so nobody may write to it any more. */
static void closed(void *arg) {
    struct follower *follower = arg;
    struct follow *follow = follower->follow;
    pthread_mutex_lock(&follow->mutex);
    follower->gone = true;
    follower->stream = NULL;
    pthread_cond_signal(&follow->cond); /* a wake may have found the mutex held */
    pthread_mutex_unlock(&follow->mutex);
}

/* With the mutex held, but not while the database is asked. Streams are written to under it: closed() waits,
 * so one cannot end meanwhile; and only this thread frees a follower. */
static int feed(struct follower *follower, struct pg *pg, struct err *err) {
    struct arena arena = {0};
    struct pg_params params = {.arena = &arena};
    pg_params_uuid(&params, follower->instance_id);
    pg_params_int(&params, follower->after);
    pg_params_int(&params, 100);
    pthread_mutex_unlock(&follower->follow->mutex);
    cleanup_result PGresult *res = pg_run(pg, query_instance_events, &params, err);
    pthread_mutex_lock(&follower->follow->mutex);
    for (int row = 0; row < PQntuples(res) && follower->stream; row++) {
        cleanup_str struct str out = STR_INIT(32768);
        str_addf(&out, "id: %lld\nevent: %s\ndata: %s\n\n", (long long)pg_int(res, row, 0),
                 pg_text(res, row, 1), pg_text(res, row, 2));
        if (!httpd_stream_write(follower->stream, str_text(&out), out.n))
            break; /* too slow: it is written to again at the next turn */
        follower->after = pg_int(res, row, 0);
    }
    arena_release(&arena);
    return res ? 0 : -1;
}

static void drop_gone(struct follow *follow) {
    for (struct follower **at = &follow->followers; *at;) {
        struct follower *follower = *at;
        if (!follower->gone) {
            at = &follower->next;
            continue;
        }
        *at = follower->next;
        free(follower);
    }
}

static void *run(void *arg) {
    struct follow *follow = arg;
    struct pg *pg = NULL;
    int64_t beaten = clock_mono_us();
    pthread_mutex_lock(&follow->mutex);
    while (!follow->stopping) {
        struct err err = {0};
        struct timespec until = clock_mono_timespec(clock_mono_us() + CLOCK_S);
        while (!follow->woken && !follow->stopping) {
            int rc = follow->followers
                         ? pthread_cond_clockwait(&follow->cond, &follow->mutex, CLOCK_MONOTONIC, &until)
                         : pthread_cond_wait(&follow->cond, &follow->mutex);
            if (rc != 0)
                break;
        }
        follow->woken = false;
        drop_gone(follow);
        if (!follow->followers)
            continue;
        if (!pg_is_usable(pg)) {
            pthread_mutex_unlock(&follow->mutex);
            pg_close(pg);
            pg = pg_open_any(follow->database_url, PG_PINNED_PLANS "statement_timeout=5s", &err);
            pthread_mutex_lock(&follow->mutex);
        }
        /* A client that left a quiet stream is noticed by writing to it. */
        bool beat = clock_mono_us() - beaten > 15 * CLOCK_S;
        beaten = beat ? clock_mono_us() : beaten;
        for (struct follower *f = follow->followers; f && beat; f = f->next)
            if (!f->gone)
                (void)httpd_stream_write(f->stream, ":\n\n", 3);
        for (struct follower *f = follow->followers; f && pg; f = f->next)
            if (!f->gone && feed(f, pg, &err) < 0)
                break;
        if (err.cls)
            log_warn("events cannot be followed", LOG_S("error", err.text));
    }
    pthread_mutex_unlock(&follow->mutex);
    pg_close(pg);
    return NULL;
}

/* Never waits: engines call it after each commit. Whoever holds the mutex is the thread, which looks at
 * `woken` before it sleeps, or signals before it lets go. */
void follow_wake(struct follow *follow) {
    atomic_store(&follow->woken, true);
    if (pthread_mutex_trylock(&follow->mutex) != 0)
        return;
    pthread_cond_signal(&follow->cond);
    pthread_mutex_unlock(&follow->mutex);
}

void follow_add(struct follow *follow, struct httpd_request *request, struct uuid instance_id,
                int64_t after) {
    struct follower *follower = mem_alloc(sizeof *follower);
    follower->follow = follow;
    follower->instance_id = instance_id;
    follower->after = after;
    pthread_mutex_lock(&follow->mutex);
    follower->stream = httpd_answer_stream(request, closed, follower);
    follower->next = follow->followers;
    follow->followers = follower;
    follow->woken = true;
    pthread_cond_signal(&follow->cond);
    pthread_mutex_unlock(&follow->mutex);
}

struct follow *follow_start(const char *database_url, struct err *err) {
    struct follow *follow = mem_alloc(sizeof *follow);
    follow->database_url = database_url;
    pthread_mutex_init(&follow->mutex, NULL);
    pthread_cond_init(&follow->cond, NULL);
    if (pthread_create(&follow->thread, NULL, run, follow) == 0)
        return follow;
    (void)err_errno(err, ERR_RETRY, "cannot start a thread");
    free(follow);
    return NULL;
}

void follow_stop(struct follow *follow) {
    if (!follow)
        return;
    pthread_mutex_lock(&follow->mutex);
    follow->stopping = true;
    pthread_cond_signal(&follow->cond);
    pthread_mutex_unlock(&follow->mutex);
    pthread_join(follow->thread, NULL);
    drop_gone(follow);
    pthread_cond_destroy(&follow->cond);
    pthread_mutex_destroy(&follow->mutex);
    free(follow);
}
