/* A registry over a bad link, and one that gives what was not asked for: what is kept is what the digest
 * names (acceptance 12; P21). */
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/http.h"
#include "io/registry.h"
#include "tests/support/service.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOB_SIZE 100000
#define MANIFEST "{\"schemaVersion\":2}"

/* Gives one blob to whoever asks; each connection ends after `cut` bytes of it. */
struct fake {
    int fd;
    char host[32], blob[BLOB_SIZE];
    size_t cut;
    bool no_ranges;
    int status, asked, ranges; /* ranges: questions that began behind the start */
    pthread_t thread;
};

static void answer(struct fake *fake, int client) {
    char said[4096], head[200];
    ssize_t n = read(client, said, sizeof said - 1);
    if (n <= 0)
        return;
    said[n] = '\0';
    const char *range = strstr(said, "Range: bytes=");
    size_t from = range && !fake->no_ranges ? strtoul(range + 13, NULL, 10) : 0;
    fake->asked++;
    fake->ranges += range != NULL;
    const char *body = strstr(said, "/manifests/") ? MANIFEST : fake->blob + from;
    size_t rest = body == fake->blob + from ? BLOB_SIZE - from : strlen(MANIFEST);
    int status = fake->status ? fake->status : from ? 206 : 200;
    n = snprintf(head, sizeof head, "HTTP/1.1 %d x\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                 status, rest);
    (void)!write(client, head, (size_t)n);
    for (size_t put = 0, most = rest < fake->cut ? rest : fake->cut; put < most;) {
        ssize_t now = write(client, body + put, most - put);
        if (now <= 0)
            return;
        put += (size_t)now;
    }
}

static void *serve(void *arg) {
    struct fake *fake = arg;
    for (int client; (client = accept(fake->fd, NULL, NULL)) >= 0;) {
        answer(fake, client);
        (void)shutdown(client, SHUT_WR);
        for (char c[512]; read(client, c, sizeof c) > 0;) { /* so that nothing sent is lost to a reset */
        }
        (void)close(client);
    }
    return NULL;
}

static void start(struct fake *fake) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    fake->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fake->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fake->fd, 4), 0);
    assert_int_equal(getsockname(fake->fd, (struct sockaddr *)&at, &n), 0);
    (void)snprintf(fake->host, sizeof fake->host, "127.0.0.1:%u", ntohs(at.sin_port));
    for (size_t i = 0; i < BLOB_SIZE; i++)
        fake->blob[i] = (char)(i * 7919 >> 3);
    assert_int_equal(pthread_create(&fake->thread, NULL, serve, fake), 0);
}

static void stop(struct fake *fake) {
    (void)shutdown(fake->fd, SHUT_RDWR);
    pthread_join(fake->thread, NULL);
    (void)close(fake->fd);
}

static const char *digest_of(const void *p, size_t n, char out[72]) {
    char hex[HASH_HEX_SIZE];
    (void)snprintf(out, 72, "sha256:%s", hash_hex(hash_sha256(p, n, "", 0), hex));
    return out;
}

/* In a folder of its own; the caller frees. */
static char *folder(void) {
    char *path = mem_strdup("/tmp/fairlead-registry-XXXXXX");
    assert_non_null(mkdtemp(path));
    return path;
}

struct fetched {
    int rc;
    struct err err;
    bool whole, part;
};

/* What came of fetching the blob twice at most: the second goes on where the first ended. */
static struct fetched fetch(struct fake *fake, const char *digest, int64_t size, int tries) {
    char path[100], part[110];
    struct fetched ret = {0};
    cleanup_free char *here = folder(), *text = NULL;
    size_t n = 0;
    struct registry registry = {.host = fake->host};
    (void)snprintf(path, sizeof path, "%s/blob", here);
    (void)snprintf(part, sizeof part, "%s.part", path);
    do
        ret.rc = registry_blob(&registry, "a/b", digest, size, path, &ret.err);
    while (ret.rc < 0 && --tries > 0);
    if (file_exists(path)) {
        assert_int_equal(file_read(path, BLOB_SIZE + 1, &text, &n, &ret.err), 0);
        ret.whole = n == BLOB_SIZE && memcmp(text, fake->blob, n) == 0;
        assert_true(ret.whole); /* nothing else is ever under that name */
    }
    ret.part = file_exists(part);
    (void)file_remove_tree(here, NULL);
    return ret;
}

static void what_was_cut_short_goes_on_where_it_ended(void **state) {
    struct fake fake = {.cut = 30000};
    char digest[72];
    (void)state;
    start(&fake);
    struct fetched got = fetch(&fake, digest_of(fake.blob, BLOB_SIZE, digest), BLOB_SIZE, 1);
    stop(&fake);
    assert_int_equal(got.rc, 0);
    assert_true(got.whole && !got.part);
    assert_int_equal(fake.asked, 4);
    assert_int_equal(fake.ranges, 3);
}

/* A new call, as after a restart: what the one before has left counts. */
static void what_is_left_of_an_earlier_try_is_not_fetched_again(void **state) {
    struct fake fake = {.cut = BLOB_SIZE};
    struct err err = {0};
    char digest[72], path[100], part[110];
    cleanup_free char *here = folder(), *text = NULL;
    size_t n = 0;
    (void)state;
    start(&fake);
    struct registry registry = {.host = fake.host};
    (void)snprintf(path, sizeof path, "%s/blob", here);
    (void)snprintf(part, sizeof part, "%s.part", path);
    assert_int_equal(file_write(part, fake.blob, 70000, 0600, &err), 0);
    assert_int_equal(
        registry_blob(&registry, "a/b", digest_of(fake.blob, BLOB_SIZE, digest), BLOB_SIZE, path, &err), 0);
    stop(&fake);
    assert_int_equal(fake.asked, 1);
    assert_int_equal(fake.ranges, 1);
    assert_int_equal(file_read(path, BLOB_SIZE + 1, &text, &n, &err), 0);
    assert_true(n == BLOB_SIZE && memcmp(text, fake.blob, n) == 0);
    (void)file_remove_tree(here, NULL);
}

/* Its time is over: what has come stays for the next one. */
static void a_slice_of_time_ends_it(void **state) {
    struct fake fake = {.cut = BLOB_SIZE};
    struct err err = {0};
    char digest[72], path[100];
    cleanup_free char *here = folder();
    (void)state;
    start(&fake);
    struct registry registry = {.host = fake.host, .until = 1};
    (void)snprintf(path, sizeof path, "%s/blob", here);
    assert_int_equal(
        registry_blob(&registry, "a/b", digest_of(fake.blob, BLOB_SIZE, digest), BLOB_SIZE, path, &err), -1);
    stop(&fake);
    assert_int_equal(err.cls, ERR_RETRY);
    assert_int_equal(fake.asked, 0);
    (void)file_remove_tree(here, NULL);
}

static void a_registry_without_ranges_is_read_from_the_start(void **state) {
    struct fake fake = {.cut = 60000, .no_ranges = true};
    char digest[72];
    (void)state;
    start(&fake);
    struct fetched got = fetch(&fake, digest_of(fake.blob, BLOB_SIZE, digest), BLOB_SIZE, 1);
    assert_int_equal(got.rc, -1); /* 60,000 bytes each time: no nearer */
    assert_int_equal(got.err.cls, ERR_RETRY);
    fake.cut = BLOB_SIZE;
    got = fetch(&fake, digest, BLOB_SIZE, 1);
    stop(&fake);
    assert_int_equal(got.rc, 0);
}

static void what_the_digest_does_not_name_is_thrown_away(void **state) {
    struct fake fake = {.cut = BLOB_SIZE};
    char digest[72];
    (void)state;
    start(&fake);
    struct fetched got = fetch(&fake, digest_of("else", 4, digest), BLOB_SIZE, 2);
    assert_int_equal(got.rc, -1);
    assert_int_equal(got.err.cls, ERR_RETRY);
    assert_false(got.part);
    /* More than it should be: not kept either, and it ends there. */
    got = fetch(&fake, digest_of(fake.blob, BLOB_SIZE, digest), BLOB_SIZE - 1, 1);
    assert_int_equal(got.rc, -1);
    /* Less: it is what the digest names, but not what the manifest says. */
    got = fetch(&fake, digest, BLOB_SIZE + 1, 1);
    stop(&fake);
    assert_int_equal(got.rc, -1);
}

static void what_it_does_not_have_is_for_a_person(void **state) {
    struct fake fake = {.cut = BLOB_SIZE, .status = 404};
    char digest[72];
    (void)state;
    start(&fake);
    struct fetched got = fetch(&fake, digest_of(fake.blob, BLOB_SIZE, digest), BLOB_SIZE, 1);
    assert_int_equal(got.rc, -1);
    assert_int_equal(got.err.cls, ERR_PARK);
    fake.status = 307; /* a storage of its own, which the node does not know */
    got = fetch(&fake, digest, BLOB_SIZE, 1);
    assert_int_equal(got.err.cls, ERR_PARK);
    fake.status = 403; /* its rights may be on their way */
    got = fetch(&fake, digest, BLOB_SIZE, 1);
    stop(&fake);
    assert_int_equal(got.rc, -1);
    assert_int_equal(got.err.cls, ERR_RETRY);
}

static void a_manifest_is_what_its_digest_names(void **state) {
    struct fake fake = {.cut = BLOB_SIZE};
    struct err err = {0};
    char digest[72], *text = NULL;
    size_t n = 0;
    (void)state;
    start(&fake);
    struct registry registry = {.host = fake.host};
    assert_int_equal(registry_manifest(&registry, "a/b", digest_of(MANIFEST, strlen(MANIFEST), digest), "x/y",
                                       1000, &text, &n, &err),
                     0);
    assert_string_equal(text, MANIFEST);
    free(text);
    assert_int_equal(
        registry_manifest(&registry, "a/b", digest_of("else", 4, digest), "x/y", 1000, &text, &n, &err), -1);
    assert_int_equal(err.cls, ERR_RETRY);
    assert_int_equal(registry_manifest(&registry, "a/b", digest, "x/y", 5, &text, &n, &err), -1);
    stop(&fake);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_cut_short_goes_on_where_it_ended),
        cmocka_unit_test(what_is_left_of_an_earlier_try_is_not_fetched_again),
        cmocka_unit_test(a_slice_of_time_ends_it),
        cmocka_unit_test(a_registry_without_ranges_is_read_from_the_start),
        cmocka_unit_test(what_the_digest_does_not_name_is_thrown_away),
        cmocka_unit_test(what_it_does_not_have_is_for_a_person),
        cmocka_unit_test(a_manifest_is_what_its_digest_names),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    http_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
