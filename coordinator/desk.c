#include "coordinator/desk.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>

#define QUEUE_MAX 1024
#define THREADS_MAX 8
#define BETTER_US CLOCK_S

struct desk {
    const char *database_url, *user;
    pthread_t threads[THREADS_MAX];
    int threads_n;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    struct desk_job *head, **tail;
    int queued;
    bool stopping;
};

static struct desk_job *take(struct desk *desk) {
    pthread_mutex_lock(&desk->mutex);
    while (!desk->head && !desk->stopping)
        pthread_cond_wait(&desk->cond, &desk->mutex);
    struct desk_job *job = desk->head;
    if (job) {
        desk->head = job->next;
        desk->queued--;
        if (!desk->head)
            desk->tail = &desk->head;
    }
    pthread_mutex_unlock(&desk->mutex);
    return job;
}

int desk_waiting(struct desk *desk) {
    pthread_mutex_lock(&desk->mutex);
    int waiting = desk->queued;
    pthread_mutex_unlock(&desk->mutex);
    return waiting;
}

static void *run(void *arg) {
    struct desk *desk = arg;
    struct pg *pg = NULL;
    struct desk_job *job;
    int64_t opened_at = 0;
    while ((job = take(desk))) {
        struct err err = {0};
        /* From a server that may only be read to one that takes writes, as soon as there is one. */
        bool may_be_better = pg && !pg_takes_writes(pg) && clock_mono_us() - opened_at > BETTER_US;
        if (!pg_is_usable(pg) || may_be_better) {
            pg_close(pg);
            opened_at = clock_mono_us();
            /* Filters that are not given fall away only where each statement is planned with its values. */
            pg = pg_open_any_as(
                desk->database_url, desk->user,
                "statement_timeout=10s lock_timeout=2s jit=off plan_cache_mode=force_custom_plan", &err);
        }
        job->run(job, pg, &err);
    }
    pg_close(pg);
    return NULL;
}

int desk_try(const struct desk *desk, struct err *err) {
    struct pg *pg = pg_open_any_as(desk->database_url, desk->user, NULL, err);
    pg_close(pg);
    return pg ? 0 : -1;
}

bool desk_submit(struct desk *desk, struct desk_job *job) {
    bool taken = false;
    job->next = NULL;
    pthread_mutex_lock(&desk->mutex);
    if (desk->queued < QUEUE_MAX && !desk->stopping) {
        *desk->tail = job;
        desk->tail = &job->next;
        desk->queued++;
        taken = true;
        pthread_cond_signal(&desk->cond);
    }
    pthread_mutex_unlock(&desk->mutex);
    return taken;
}

struct desk *desk_start(const char *database_url, const char *user, int threads, struct err *err) {
    struct desk *desk = mem_alloc(sizeof *desk);
    desk->database_url = database_url;
    desk->user = user;
    desk->tail = &desk->head;
    pthread_mutex_init(&desk->mutex, NULL);
    pthread_cond_init(&desk->cond, NULL);
    for (; desk->threads_n < threads && desk->threads_n < THREADS_MAX; desk->threads_n++)
        if (pthread_create(&desk->threads[desk->threads_n], NULL, run, desk) != 0) {
            (void)err_errno(err, ERR_RETRY, "cannot start a thread");
            desk_stop(desk);
            return NULL;
        }
    return desk;
}

void desk_stop(struct desk *desk) {
    if (!desk)
        return;
    pthread_mutex_lock(&desk->mutex);
    desk->stopping = true;
    pthread_cond_broadcast(&desk->cond);
    pthread_mutex_unlock(&desk->mutex);
    for (int i = 0; i < desk->threads_n; i++)
        pthread_join(desk->threads[i], NULL);
    pthread_cond_destroy(&desk->cond);
    pthread_mutex_destroy(&desk->mutex);
    free(desk);
}
