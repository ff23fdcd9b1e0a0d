/* Redis as it is: what may be lost, and never an answer of another kind (P26, bad inputs of Redis). */
#include "base/clock.h"
#include "base/str.h"
#include "io/redis.h"
#include "tests/support/fake_server.h"
#include "tests/support/service.h"

#include <stdbool.h>
#include <string.h>

static void a_value_is_read_back_until_it_expires(void **state) {
    struct err err = {0};
    char key[64], *value = NULL;
    (void)state;
    service_name("fairlead:test", key);
    struct redis *redis = redis_open(service("FAIRLEAD_REDIS"));
    assert_int_equal(redis_set(redis, key, "a b\n\"c\" %s $1", 1, &err), 0);
    assert_int_equal(redis_get(redis, key, &value, &err), 0);
    assert_string_equal(value, "a b\n\"c\" %s $1");
    free(value);
    value = NULL;
    int64_t deadline = clock_mono_us() + 3 * CLOCK_S;
    while (redis_get(redis, key, &value, &err) == 0 && value && clock_mono_us() < deadline) {
        free(value);
        value = NULL;
    }
    assert_null(value);
    redis_close(redis);
}

static void one_that_is_away_is_an_error_that_may_pass(void **state) {
    struct err err = {0};
    char *value = NULL;
    (void)state;
    struct redis *redis = redis_open("/nonexistent/redis.sock");
    assert_int_equal(redis_get(redis, "key", &value, &err), -1);
    assert_int_equal(err.cls, ERR_RETRY);
    assert_int_equal(redis_ping(redis, &err), -1); /* not asked again at once */
    redis_close(redis);
    redis = redis_open("10.1.2.3:6379"); /* plaintext never leaves this machine */
    assert_int_equal(redis_ping(redis, &err), -1);
    assert_non_null(strstr(err.text, "neither"));
    redis_close(redis);
}

/* ---- answers of a Redis that is none ---- */

/* What redis_get() makes of it. */
static int ask_fake(const char *answer, size_t n, char **ret, struct err *err) {
    struct fake_server fake;
    fake_start(&fake, answer, n);
    struct redis *redis = redis_open(fake.at.sun_path);
    int rc = redis_get(redis, "key", ret, err);
    redis_close(redis);
    fake_stop(&fake);
    return rc;
}

static void answers_of_another_kind_are_errors(void **state) {
    static const char *const answers[] = {
        ":5\r\n",                                        /* a number */
        "*2\r\n$1\r\na\r\n$1\r\nb\r\n",                  /* a list */
        "+OK\r\n",                                       /* a status */
        "-OOM command not allowed when used memory\r\n", /* out of memory */
        "-READONLY You can't write\r\n",
        "-LOADING Redis is loading\r\n",
        "-MOVED 3999 127.0.0.1:6381\r\n",
        "$10\r\nabc",                       /* cut mid-reply */
        "HTTP/1.1 400 Bad Request\r\n\r\n", /* not Redis at all */
        "\0\0\0\0",
        "$99999999999\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct err err = {0};
        char *value = NULL;
        size_t n = answers[i][0] ? strlen(answers[i]) : 4;
        assert_int_equal(ask_fake(answers[i], n, &value, &err), -1);
        assert_int_equal(err.cls, ERR_RETRY);
        assert_null(value);
    }
}

static void a_huge_value_has_a_ceiling(void **state) {
    struct err err = {0};
    char *value = NULL, *answer = malloc(200100);
    (void)state;
    int n = snprintf(answer, 64, "$200000\r\n");
    memset(answer + n, 'x', 200000);
    memcpy(answer + n + 200000, "\r\n", 2);
    assert_int_equal(ask_fake(answer, (size_t)n + 200002, &value, &err), -1);
    assert_null(value);
    free(answer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_read_back_until_it_expires),
        cmocka_unit_test(one_that_is_away_is_an_error_that_may_pass),
        cmocka_unit_test(answers_of_another_kind_are_errors),
        cmocka_unit_test(a_huge_value_has_a_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
