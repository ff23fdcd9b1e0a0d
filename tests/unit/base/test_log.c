/* What of the complaints is written: no log grows without an end, and no line vanishes (P8). */
#include "base/clock.h"
#include "base/log.h"
#include "base/log_repeat.h"
#include "base/str.h"
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* How many of `n` lines, `every_us` apart, are written; each its own when `varied`. */
static int64_t written(int64_t n, int64_t every_us, bool varied, int64_t *ret_left_out) {
    struct log_repeat *repeat = calloc(1, sizeof *repeat);
    int64_t count = 0, sum = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t left_out = 0;
        if (!log_repeat_may_write(repeat, 1, varied ? (uint64_t)(100 + i) : 100, CLOCK_S + i * every_us,
                                  &left_out))
            continue;
        count++;
        sum += left_out;
    }
    free(repeat);
    *ret_left_out = sum;
    return count;
}

static void the_same_line_is_written_with_growing_pauses(void **state) {
    int64_t left_out;
    (void)state;
    /* 10,000 a second for an hour. */
    assert_in_range(written(36000000, 100, false, &left_out), 10, 20);
    assert_true(left_out > 30000000); /* those of the last pause are still to be told */
    assert_in_range(written(2400, CLOCK_S * 3 / 2, false, &left_out), 10, 20);
}

static void a_stranger_who_varies_it_gains_nothing(void **state) {
    int64_t left_out;
    (void)state;
    assert_in_range(written(36000000, 100, true, &left_out), 200, 16 * LOG_REPEAT_BURST);
}

static void what_is_rare_is_always_written(void **state) {
    int64_t left_out;
    (void)state;
    assert_int_equal(written(100, 120 * CLOCK_S, false, &left_out), 100);
    assert_int_equal(written(1000, CLOCK_S, true, &left_out), 1000);
    assert_int_equal(left_out, 0);
}

static void one_complaint_hides_no_other(void **state) {
    struct log_repeat *repeat = calloc(1, sizeof *repeat);
    int64_t left_out = 0;
    (void)state;
    for (uint64_t i = 0; i < 1000; i++)
        (void)log_repeat_may_write(repeat, 1, 100, CLOCK_S, &left_out);
    assert_true(log_repeat_may_write(repeat, 1, 101, CLOCK_S, &left_out));
    assert_true(log_repeat_may_write(repeat, 2, 100000, CLOCK_S, &left_out));
    free(repeat);
}

/* What log_line() writes of one value. */
static char *line_of(const char *value) {
    int fd = memfd_create("log", MFD_CLOEXEC), kept = dup(STDERR_FILENO);
    (void)dup2(fd, STDERR_FILENO);
    log_info("a test", LOG_S("value", value), LOG_I("after", 7));
    (void)dup2(kept, STDERR_FILENO);
    char *text = calloc(1, 100000);
    (void)!pread(fd, text, 99999, 0);
    (void)close(fd);
    (void)close(kept);
    return text;
}

static void a_long_value_is_cut_and_the_line_stays(void **state) {
    char *value = calloc(1, 40002);
    (void)state;
    memset(value, 'x', 40000);
    for (size_t i = 0; i < 13000; i++)
        memcpy(value + 1 + 3 * i, "\xe2\x82\xac", 3); /* so that the limit falls inside a character */
    char *line = line_of(value);
    assert_non_null(strstr(line, "\xe2\x82\xac [...]\" after=7\n"));
    line[strcspn(line, "\n")] = '\0';
    assert_true(str_is_text(line));
    free(line);
    memset(value, '\x01', 40000);
    line = line_of(value);
    assert_non_null(strstr(line, "\\x01 [...]\" after=7\n"));
    free(line);
    free(value);
}

static void a_text_is_cut_between_characters(void **state) {
    (void)state;
    assert_int_equal(str_cut_at("abc", 5), 3);
    assert_int_equal(str_cut_at("abcdef", 5), 5);
    assert_int_equal(str_cut_at("abcd\xc3\xa9", 5), 4);
    assert_int_equal(str_cut_at("a\xf0\x9f\x98\x80z", 4), 1);
    assert_int_equal(str_cut_at("a\xf0\x9f\x98\x80z", 5), 5);
    assert_int_equal(str_cut_at("\x80\x80\x80\x80\x80\x80\x80", 5), 5); /* none: as it is */
}

static void a_part_tells_when_it_is_asked_to(void **state) {
    (void)state;
    log_init("test", "info", "text");
    assert_false(log_tells(LOG_RELAY));
    log_init_debug("relay,keeper");
    assert_true(log_tells(LOG_RELAY));
    assert_true(log_tells(LOG_KEEPER));
    assert_false(log_tells(LOG_ENGINE));
    log_init("test", "debug", "text");
    assert_true(log_tells(LOG_ENGINE));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_line_is_written_with_growing_pauses),
        cmocka_unit_test(a_stranger_who_varies_it_gains_nothing),
        cmocka_unit_test(what_is_rare_is_always_written),
        cmocka_unit_test(one_complaint_hides_no_other),
        cmocka_unit_test(a_long_value_is_cut_and_the_line_stays),
        cmocka_unit_test(a_text_is_cut_between_characters),
        cmocka_unit_test(a_part_tells_when_it_is_asked_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
