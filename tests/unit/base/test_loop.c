/* Turns: at their time, at once when woken, and an end that waits for no long one. */
#include "base/clock.h"
#include "base/loop.h"
#include "tests/support/check.h"

#include <pthread.h>
#include <sched.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int turns;
static int64_t pause_us;
static bool inside, hold;

static void set_inside(bool now) {
    pthread_mutex_lock(&mutex);
    inside = now;
    turns += !now;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&mutex);
}

static void set_hold(bool now) {
    pthread_mutex_lock(&mutex);
    hold = now;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&mutex);
}

static int64_t turn(const struct loop *loop, void *arg) {
    (void)loop;
    (void)arg;
    set_inside(true);
    pthread_mutex_lock(&mutex);
    while (hold)
        pthread_cond_wait(&cond, &mutex);
    pthread_mutex_unlock(&mutex);
    set_inside(false);
    return pause_us;
}

/* Works on until it must end. */
static int64_t long_turn(const struct loop *loop, void *arg) {
    (void)arg;
    set_inside(true);
    while (!loop_is_ending(loop))
        (void)sched_yield();
    set_inside(false);
    return 0;
}

static bool has_turned(int wanted) {
    return turns >= wanted;
}

static bool is_inside(int unused) {
    (void)unused;
    return inside;
}

static bool within_10_s(bool (*holds)(int), int wanted) {
    struct timespec until = clock_mono_timespec(clock_mono_us() + 10 * CLOCK_S);
    int rc = 0;
    pthread_mutex_lock(&mutex);
    while (!holds(wanted) && rc == 0)
        rc = pthread_cond_clockwait(&cond, &mutex, CLOCK_MONOTONIC, &until);
    bool came = holds(wanted);
    pthread_mutex_unlock(&mutex);
    return came;
}

static struct loop *begin(int64_t (*a_turn)(const struct loop *, void *), int64_t us) {
    struct err err = {0};
    turns = 0;
    pause_us = us;
    struct loop *loop = loop_start(a_turn, NULL, &err);
    assert_non_null(loop);
    return loop;
}

static void turns_follow_one_another(void **state) {
    (void)state;
    struct loop *loop = begin(turn, 1000);
    assert_true(within_10_s(has_turned, 3));
    loop_stop(loop);
}

static void a_wake_is_a_turn(void **state) {
    (void)state;
    struct loop *loop = begin(turn, 3600 * CLOCK_S);
    assert_true(within_10_s(has_turned, 1));
    loop_wake(loop);
    assert_true(within_10_s(has_turned, 2));
    loop_stop(loop);
    assert_int_equal(turns, 2);
}

static void a_wake_during_a_turn_counts_for_the_next(void **state) {
    (void)state;
    struct loop *loop = begin(turn, 3600 * CLOCK_S);
    assert_true(within_10_s(has_turned, 1));
    set_hold(true);
    loop_wake(loop);
    assert_true(within_10_s(is_inside, 0));
    loop_wake(loop);
    set_hold(false);
    assert_true(within_10_s(has_turned, 3));
    loop_stop(loop);
}

static void a_long_turn_can_see_that_it_must_end(void **state) {
    (void)state;
    struct loop *loop = begin(long_turn, 0);
    assert_true(within_10_s(is_inside, 0));
    loop_stop(loop); /* would never return */
    assert_false(inside);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_follow_one_another),
        cmocka_unit_test(a_wake_is_a_turn),
        cmocka_unit_test(a_wake_during_a_turn_counts_for_the_next),
        cmocka_unit_test(a_long_turn_can_see_that_it_must_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
