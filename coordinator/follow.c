#include "coordinator/follow.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"
#include "io/pg.h"
#include "sql/queries.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define LOOK_US CLOCK_S /* what another coordinator has stored is told by nobody */
#define BEAT_US (15 * CLOCK_S)

struct follower {
    struct follower *next;
    struct httpd_stream *stream;
    struct uuid instance_id, credential_id;
    int64_t after, expires_at; /* of the credential; 0: never */
    bool gone;                 /* the client has left: the thread frees it */
    struct follow *follow;
};

struct follow {
    const char *database_url;
    struct access *access;
    atomic_bool recheck;
    struct loop *loop;
    pthread_mutex_t mutex; /* of the followers */
    struct follower *followers;
    struct pg *pg;
    int64_t beaten;
};

/* The server's thread: the stream ends here, so nobody may write to it any more. */
static void closed(void *arg) {
    struct follower *follower = arg;
    struct follow *follow = follower->follow;
    pthread_mutex_lock(&follow->mutex);
    follower->gone = true;
    follower->stream = NULL;
    pthread_mutex_unlock(&follow->mutex);
    loop_wake(follow->loop);
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

static void show_out(struct follow *follow) {
    bool recheck = atomic_exchange(&follow->recheck, false);
    for (struct follower *f = follow->followers; f; f = f->next)
        if (!f->gone && ((f->expires_at && f->expires_at <= clock_wall_us()) ||
                         (recheck && !access_is_good(follow->access, f->credential_id))))
            httpd_stream_end(f->stream);
}

static void feed_all(struct follow *follow, struct err *err) {
    /* A client that left a quiet stream is noticed by writing to it. */
    bool beat = clock_mono_us() - follow->beaten > BEAT_US;
    follow->beaten = beat ? clock_mono_us() : follow->beaten;
    for (struct follower *f = follow->followers; f && beat; f = f->next)
        if (!f->gone)
            (void)httpd_stream_write(f->stream, ":\n\n", 3);
    for (struct follower *f = follow->followers; f && follow->pg; f = f->next)
        if (!f->gone && feed(f, follow->pg, err) < 0)
            break;
}

static int64_t turn(const struct loop *loop, void *arg) {
    struct follow *follow = arg;
    struct err err = {0};
    (void)loop;
    pthread_mutex_lock(&follow->mutex);
    drop_gone(follow);
    bool wanted = follow->followers;
    pthread_mutex_unlock(&follow->mutex);
    if (!wanted)
        return LOOP_IDLE;
    if (!pg_is_usable(follow->pg)) {
        pg_close(follow->pg);
        follow->pg = pg_open_any(follow->database_url, PG_PINNED_PLANS "statement_timeout=5s", &err);
    }
    pthread_mutex_lock(&follow->mutex);
    show_out(follow);
    feed_all(follow, &err);
    pthread_mutex_unlock(&follow->mutex);
    if (err.cls)
        log_warn("events cannot be followed", LOG_S("error", err.text));
    return LOOK_US;
}

/* Engines call it after each commit: it waits for nobody's database. */
void follow_wake(struct follow *follow) {
    loop_wake(follow->loop);
}

void follow_recheck(struct follow *follow) {
    atomic_store(&follow->recheck, true);
    loop_wake(follow->loop);
}

void follow_add(struct follow *follow, struct httpd_request *request, const struct principal *principal,
                struct uuid instance_id, int64_t after) {
    struct follower *follower = mem_alloc(sizeof *follower);
    follower->follow = follow;
    follower->instance_id = instance_id;
    follower->after = after;
    follower->credential_id = principal->credential_id;
    follower->expires_at = principal->expires_at;
    pthread_mutex_lock(&follow->mutex);
    follower->stream = httpd_answer_stream(request, closed, follower);
    follower->next = follow->followers;
    follow->followers = follower;
    pthread_mutex_unlock(&follow->mutex);
    follow_recheck(follow); /* its token may have ended while it waited for the desk */
}

struct follow *follow_start(const char *database_url, struct access *access, struct err *err) {
    struct follow *follow = mem_alloc(sizeof *follow);
    follow->database_url = database_url;
    follow->access = access;
    pthread_mutex_init(&follow->mutex, NULL);
    follow->beaten = clock_mono_us();
    follow->loop = loop_start(turn, follow, err);
    if (follow->loop)
        return follow;
    free(follow);
    return NULL;
}

void follow_stop(struct follow *follow) {
    if (!follow)
        return;
    loop_stop(follow->loop);
    drop_gone(follow);
    pg_close(follow->pg);
    pthread_mutex_destroy(&follow->mutex);
    free(follow);
}
