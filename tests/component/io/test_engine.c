/* The Docker Engine: the real one, and one that answers as no Engine should (bad inputs of the Engine). */
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/engine.h"
#include "io/http.h"
#include "tests/support/service.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

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

/* ---- an Engine that is none ---- */

struct fake {
    int fd;
    const char *answer;
    size_t n;
};

static void *serve(void *arg) {
    struct fake *fake = arg;
    for (;;) {
        char buf[4096];
        int client = accept(fake->fd, NULL, NULL);
        if (client < 0)
            return NULL;
        if (read(client, buf, sizeof buf) > 0)
            (void)!write(client, fake->answer, fake->n);
        (void)close(client);
    }
}

static char path[80];
static struct fake fake;
static pthread_t thread;

static void start_fake(const char *answer, size_t n) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    fake = (struct fake){.fd = socket(AF_UNIX, SOCK_STREAM, 0), .answer = answer, .n = n};
    (void)snprintf(path, sizeof path, "/tmp/fairlead-engine-%d", (int)getpid());
    (void)unlink(path);
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    assert_int_equal(bind(fake.fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fake.fd, 4), 0);
    assert_int_equal(pthread_create(&thread, NULL, serve, &fake), 0);
}

static void stop_fake(void) {
    (void)shutdown(fake.fd, SHUT_RDWR);
    (void)close(fake.fd);
    pthread_join(thread, NULL);
    (void)unlink(path);
}

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
        start_fake(answers[i], strlen(answers[i]));
        assert_int_equal(engine_containers(path, "a=b", &list, &err), -1);
        assert_int_equal(err.cls, ERR_RETRY);
        assert_null(list);
        stop_fake();
    }
}

/* A list whose containers are gone between the two calls: every further answer is the list again. */
static void a_container_that_is_no_object_is_left_out(void **state) {
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\n[1, null, {\"Id\":5}, {\"Id\":\"x\"}]";
    struct err err = {0};
    json_t *list = NULL;
    (void)state;
    start_fake(answer, sizeof answer - 1);
    assert_int_equal(engine_containers(path, "a=b", &list, &err), 0);
    json_decref(list);
    stop_fake();
}

static void logs_have_a_ceiling_and_a_length_that_lies_is_cut(void **state) {
    char *answer = mem_alloc(9000200);
    (void)state;
    int n = snprintf(answer, 200, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n");
    memcpy(answer + n, "\1\0\0\0\377\377\377\377twelve bytes", 20);
    start_fake(answer, (size_t)n + 20);
    char *text = engine_logs(path, "x", 5);
    assert_string_equal(text, "twelve bytes");
    free(text);
    stop_fake();
    n = snprintf(answer, 200, "HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n");
    memset(answer + n, 'x', 9000000);
    start_fake(answer, (size_t)n + 9000000);
    text = engine_logs(path, "x", 5);
    assert_true(strlen(text) <= 16384);
    free(text);
    stop_fake();
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
    start_fake(answer, sizeof answer - 1);
    engine_follow(path, "fairlead.instance", &stop, count, NULL);
    assert_int_equal(lines, 1);
    stop_fake();
}

int main(void) {
    http_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_real_one_lists_and_says_what_is_missing),
        cmocka_unit_test(a_digest_that_the_registry_lacks_is_for_a_person),
        cmocka_unit_test(answers_that_make_no_sense_are_errors_that_may_pass),
        cmocka_unit_test(a_container_that_is_no_object_is_left_out),
        cmocka_unit_test(logs_have_a_ceiling_and_a_length_that_lies_is_cut),
        cmocka_unit_test(an_event_stream_of_nonsense_only_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
