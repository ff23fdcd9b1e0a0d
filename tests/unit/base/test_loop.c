/* Turns: at their time, at once when woken, and an end that waits for no long one. */
#include "base/clock.h"
#include "base/loop.h"
#include "tests/support/check.h"

#include <stdatomic.h>
#include <unistd.h>

static atomic_int turns;
static int64_t pause_us;
static atomic_bool inside, hold;

static int64_t turn(const struct loop *loop, void *arg) {
    (void)arg;
    inside = true;
    while (hold && !loop_is_ending(loop))
        (void)usleep(100);
    inside = false;
    turns++;
    return pause_us;
}

static bool within_10_s(int wanted) {
    for (int64_t until = clock_mono_us() + 10 * CLOCK_S; turns < wanted && clock_mono_us() < until;)
        (void)usleep(100);
    return turns >= wanted;
}

static bool begins_within_10_s(void) {
    for (int64_t until = clock_mono_us() + 10 * CLOCK_S; !inside && clock_mono_us() < until;)
        (void)usleep(100);
    return inside;
}

static struct loop *begin(int64_t us) {
    struct err err = {0};
    turns = 0;
    hold = false;
    pause_us = us;
    struct loop *loop = loop_start(turn, NULL, &err);
    assert_non_null(loop);
    return loop;
}

static void turns_follow_one_another(void **state) {
    (void)state;
    struct loop *loop = begin(1000);
    assert_true(within_10_s(3));
    loop_stop(loop);
}

static void a_wake_is_a_turn(void **state) {
    (void)state;
    struct loop *loop = begin(3600 * CLOCK_S);
    assert_true(within_10_s(1));
    loop_wake(loop);
    assert_true(within_10_s(2));
    loop_stop(loop);
    assert_int_equal(turns, 2);
}

static void a_wake_during_a_turn_counts_for_the_next(void **state) {
    (void)state;
    struct loop *loop = begin(3600 * CLOCK_S);
    assert_true(within_10_s(1));
    hold = true;
    loop_wake(loop);
    assert_true(begins_within_10_s());
    loop_wake(loop);
    hold = false;
    assert_true(within_10_s(3));
    loop_stop(loop);
}

static void a_long_turn_can_see_that_it_must_end(void **state) {
    (void)state;
    struct loop *loop = begin(1000);
    hold = true;
    assert_true(begins_within_10_s());
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
