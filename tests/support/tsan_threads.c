/* ThreadSanitizer knows POSIX threads only, and librdkafka is built upon those of C11: its threads would have
 * no state there, and their first report crashes. Linked only under SAN=thread: the same calls by the POSIX
 * names, which glibc implements by the same objects. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <threads.h>

static pthread_mutex_t *mutex_of(mtx_t *m) {
    return (pthread_mutex_t *)(void *)m;
}
static pthread_cond_t *cond_of(cnd_t *c) {
    return (pthread_cond_t *)(void *)c;
}
static int result_of(int rc) {
    return rc == 0 ? thrd_success : rc == ETIMEDOUT ? thrd_timedout : rc == EBUSY ? thrd_busy : thrd_error;
}

int thrd_create(thrd_t *thread, thrd_start_t start, void *arg) {
    /* Both conventions return in the same register. */
    void *(*posix)(void *) = (void *(*)(void *))(uintptr_t)start;
    return result_of(pthread_create(thread, NULL, posix, arg));
}
int thrd_join(thrd_t thread, int *ret) {
    void *result;
    int rc = pthread_join(thread, &result);
    if (ret)
        *ret = (int)(intptr_t)result;
    return result_of(rc);
}
int thrd_detach(thrd_t thread) {
    return result_of(pthread_detach(thread));
}
int mtx_init(mtx_t *m, int type) {
    pthread_mutexattr_t attr;
    (void)pthread_mutexattr_init(&attr);
    (void)pthread_mutexattr_settype(&attr,
                                    type & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
    int rc = pthread_mutex_init(mutex_of(m), &attr);
    (void)pthread_mutexattr_destroy(&attr);
    return result_of(rc);
}
int mtx_lock(mtx_t *m) {
    return result_of(pthread_mutex_lock(mutex_of(m)));
}
int mtx_trylock(mtx_t *m) {
    return result_of(pthread_mutex_trylock(mutex_of(m)));
}
int mtx_unlock(mtx_t *m) {
    return result_of(pthread_mutex_unlock(mutex_of(m)));
}
void mtx_destroy(mtx_t *m) {
    (void)pthread_mutex_destroy(mutex_of(m));
}
int cnd_init(cnd_t *c) {
    return result_of(pthread_cond_init(cond_of(c), NULL));
}
int cnd_signal(cnd_t *c) {
    return result_of(pthread_cond_signal(cond_of(c)));
}
int cnd_broadcast(cnd_t *c) {
    return result_of(pthread_cond_broadcast(cond_of(c)));
}
int cnd_wait(cnd_t *c, mtx_t *m) {
    return result_of(pthread_cond_wait(cond_of(c), mutex_of(m)));
}
int cnd_timedwait(cnd_t *restrict c, mtx_t *restrict m, const struct timespec *restrict until) {
    return result_of(pthread_cond_timedwait(cond_of(c), mutex_of(m), until));
}
void cnd_destroy(cnd_t *c) {
    (void)pthread_cond_destroy(cond_of(c));
}
