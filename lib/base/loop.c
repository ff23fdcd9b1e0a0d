#include "base/loop.h"

#include "base/clock.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct loop {
    int64_t (*turn)(const struct loop *loop, void *arg);
    void *arg;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool woken;
    atomic_bool ending;
};

static void *run(void *arg) {
    struct loop *loop = arg;
    while (!loop->ending) {
        struct timespec until = clock_mono_timespec(clock_mono_us() + loop->turn(loop, loop->arg));
        pthread_mutex_lock(&loop->mutex);
        while (!loop->woken && !loop->ending)
            if (pthread_cond_clockwait(&loop->cond, &loop->mutex, CLOCK_MONOTONIC, &until) != 0)
                break;
        loop->woken = false;
        pthread_mutex_unlock(&loop->mutex);
    }
    return NULL;
}

struct loop *loop_start(int64_t (*turn)(const struct loop *loop, void *arg), void *arg, struct err *err) {
    struct loop *loop = mem_alloc(sizeof *loop);
    loop->turn = turn;
    loop->arg = arg;
    pthread_mutex_init(&loop->mutex, NULL);
    pthread_cond_init(&loop->cond, NULL);
    if (pthread_create(&loop->thread, NULL, run, loop) == 0)
        return loop;
    (void)err_errno(err, ERR_RETRY, "cannot start a thread");
    free(loop);
    return NULL;
}

void loop_wake(struct loop *loop) {
    pthread_mutex_lock(&loop->mutex);
    loop->woken = true;
    pthread_cond_signal(&loop->cond);
    pthread_mutex_unlock(&loop->mutex);
}

bool loop_is_ending(const struct loop *loop) {
    return loop->ending;
}

void loop_stop(struct loop *loop) {
    if (!loop)
        return;
    pthread_mutex_lock(&loop->mutex);
    loop->ending = true;
    pthread_cond_signal(&loop->cond);
    pthread_mutex_unlock(&loop->mutex);
    pthread_join(loop->thread, NULL);
    pthread_cond_destroy(&loop->cond);
    pthread_mutex_destroy(&loop->mutex);
    free(loop);
}
