/* The Docker Engine: the real one, and one that answers as no Engine should (bad inputs of the Engine). */
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/engine.h"
#include "io/http.h"
#include "tests/support/fake_server.h"
#include "tests/support/service.h"

#include <string.h>

static void the_real_one_lists_and_says_what_is_missing(void **state) {
    struct err err = {0};
    json_t *list = NULL;
    (void)state;
    assert_int_equal(engine_containers(service("FAIRLEAD_DOCKER"),
                                       "fairlead.instance=00000000000000000000000000000000", &list, &err),
                     0);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    assert_false(engine_has_image(service("FAIRLEAD_DOCKER"), "nothing/of/that/kind@sha256:00"));
    assert_null(engine_image_id(service("FAIRLEAD_DOCKER"), "nothing/of/that/kind@sha256:00"));
    char *logs = engine_logs(service("FAIRLEAD_DOCKER"), "nothing", 5);
    assert_string_equal(logs, "");
    free(logs);
}

static void a_digest_that_the_registry_lacks_is_for_a_person(void **state) {
    struct err err = {0};
    char image[300];
    (void)state;
    (void)snprintf(image, sizeof image, "%s/fairlead/base@sha256:%064d", service("FAIRLEAD_REGISTRY"), 0);
    assert_int_equal(engine_pull(service("FAIRLEAD_DOCKER"), image, &err), -1);
    assert_int_equal(err.cls, ERR_PARK);
    err = (struct err){0};
    assert_int_equal(engine_pull(service("FAIRLEAD_DOCKER"),
                                 "127.0.0.1:1/x@sha256:" /* nobody is there */
                                 "0000000000000000000000000000000000000000000000000000000000000000",
                                 &err),
                     -1);
    assert_int_equal(err.cls, ERR_RETRY);
}

static int run_inside(const char *container, const char *script, int64_t timeout_us, int64_t *ret_status,
                      struct err *err) {
    cleanup_json json_t *command = json_pack("[s, s, s]", "/bin/sh", "-c", script);
    return engine_exec(service("FAIRLEAD_DOCKER"), container, command, timeout_us, ret_status, err);
}

static void what_runs_inside_a_container_says_how_it_ended(void **state) {
    struct err err = {0};
    long status;
    int64_t ended = -1;
    char path[160], image[300];
    (void)snprintf(image, sizeof image, "%s/%s", service("FAIRLEAD_REGISTRY"), service("FAIRLEAD_BASE"));
    cleanup_json json_t *made = NULL, *body = json_pack("{s:s, s:[s, s, s], s:b}", "Image", image, "Cmd",
                                                        "tail", "-f", "/dev/null", "NetworkDisabled", 1);
    (void)state;
    assert_int_equal(engine_call(service("FAIRLEAD_DOCKER"), "POST", "/containers/create", body, 20000000,
                                 &status, &made, &err),
                     0);
    const char *id = json_str(made, "Id");
    assert_non_null(id);
    (void)snprintf(path, sizeof path, "/containers/%.64s/start", id);
    assert_int_equal(
        engine_call(service("FAIRLEAD_DOCKER"), "POST", path, NULL, 20000000, &status, NULL, &err), 0);
    int good = run_inside(id, "echo said; exit 0", 20000000, &ended, &err);
    int64_t of_good = ended;
    int bad = run_inside(id, "exit 3", 20000000, &ended, &err);
    int64_t of_bad = ended;
    int endless = run_inside(id, "tail -f /dev/null", 200000, &ended, &err);
    enum err_class of_endless = err.cls;
    (void)snprintf(path, sizeof path, "/containers/%.64s?force=true", id);
    assert_int_equal(
        engine_call(service("FAIRLEAD_DOCKER"), "DELETE", path, NULL, 60000000, &status, NULL, &err), 0);
    assert_int_equal(good, 0);
    assert_int_equal(of_good, 0);
    assert_int_equal(bad, 0);
    assert_int_equal(of_bad, 3);
    assert_int_equal(endless, -1);
    assert_int_equal(of_endless, ERR_RETRY);
    assert_int_equal(run_inside(id, "exit 0", 20000000, &ended, &err), -1); /* it is gone */
}

/* ---- an Engine that is none ---- */

static struct fake_server fake;

static void answers_that_make_no_sense_are_errors_that_may_pass(void **state) {
    static const char *const answers[] = {
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnot JSON!",
        "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"an\":\"map\"}\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[", /* half-closed */
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
        "garbage",
        "",
    };
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct err err = {0};
        json_t *list = NULL;
        fake_start(&fake, answers[i], strlen(answers[i]));
        assert_int_equal(engine_containers(fake.at.sun_path, "a=b", &list, &err), -1);
        assert_int_equal(err.cls, ERR_RETRY);
        assert_null(list);
        fake_stop(&fake);
    }
}

/* A list whose containers are gone between the two calls: every further answer is the list again. */
static void a_container_that_is_no_object_is_left_out(void **state) {
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\n[1, null, {\"Id\":5}, {\"Id\":\"x\"}]";
    struct err err = {0};
    json_t *list = NULL;
    (void)state;
    fake_start(&fake, answer, sizeof answer - 1);
    assert_int_equal(engine_containers(fake.at.sun_path, "a=b", &list, &err), 0);
    json_decref(list);
    fake_stop(&fake);
}

static void logs_have_a_ceiling_and_a_length_that_lies_is_cut(void **state) {
    char *answer = mem_alloc(9000200);
    (void)state;
    int n = snprintf(answer, 200, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n");
    memcpy(answer + n, "\1\0\0\0\377\377\377\377twelve bytes", 20);
    fake_start(&fake, answer, (size_t)n + 20);
    char *text = engine_logs(fake.at.sun_path, "x", 5);
    assert_string_equal(text, "twelve bytes");
    free(text);
    fake_stop(&fake);
    n = snprintf(answer, 200, "HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n");
    memset(answer + n, 'x', 9000000);
    fake_start(&fake, answer, (size_t)n + 9000000);
    text = engine_logs(fake.at.sun_path, "x", 5);
    assert_true(strlen(text) <= 16384);
    free(text);
    fake_stop(&fake);
    free(answer);
}

static int lines;
static void count(void *arg, const char *value) {
    (void)arg, (void)value;
    lines++;
}

static void an_event_stream_of_nonsense_only_ends(void **state) {
    static const char answer[] = "HTTP/1.1 200 "
                                 "OK\r\n\r\n{\"Actor\":{\"Attributes\":{\"fairlead.instance\":\"abc\"}}}\n[]"
                                 "\nnull\n{\"Actor\":5}\nnot "
                                 "JSON\n\n{\"Actor\":{\"Attributes\":{\"fairlead.instance\":7}}}\n";
    atomic_int stop = 0;
    (void)state;
    lines = 0;
    fake_start(&fake, answer, sizeof answer - 1);
    engine_follow(fake.at.sun_path, "fairlead.instance", &stop, count, NULL);
    assert_int_equal(lines, 1);
    fake_stop(&fake);
}

int main(void) {
    http_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_real_one_lists_and_says_what_is_missing),
        cmocka_unit_test(a_digest_that_the_registry_lacks_is_for_a_person),
        cmocka_unit_test(what_runs_inside_a_container_says_how_it_ended),
        cmocka_unit_test(answers_that_make_no_sense_are_errors_that_may_pass),
        cmocka_unit_test(a_container_that_is_no_object_is_left_out),
        cmocka_unit_test(logs_have_a_ceiling_and_a_length_that_lies_is_cut),
        cmocka_unit_test(an_event_stream_of_nonsense_only_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
