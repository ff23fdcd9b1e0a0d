#include "io/registry.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SILENCE_S 30
#define CUTS_MAX 20 /* connections that end early, each after some bytes */

static struct http_call call_of(const struct registry *registry, size_t answer_max) {
    struct http_call call = HTTP_CALL_INIT(answer_max);
    call.method = "GET";
    call.ca = registry->ca;
    call.cert = registry->cert;
    call.outward = registry->outward;
    call.stop = registry->stop;
    call.silence_s = SILENCE_S;
    return call;
}

static void write_url(const struct registry *registry, const char *repository, const char *kind,
                      const char *digest, char url[1024]) {
    (void)snprintf(url, 1024, "%s://%s/v2/%s/%s/%s", registry->ca ? "https" : "http", registry->host,
                   repository, kind, digest);
}

static int refused(long status, const char *repository, const char *digest, struct err *err) {
    if (status / 100 == 3)
        return err_set(err, ERR_PARK, "the registry sends \"%s\" elsewhere: its storage must not redirect",
                       repository);
    if (status == 404)
        return err_set(err, ERR_PARK, "the registry does not have \"%s@%s\"", repository, digest);
    return err_set(err, ERR_RETRY, "the registry answers \"%s@%.19s\" with status %ld", repository, digest,
                   status);
}

static bool is_digest_of(const char *digest, struct hash hash) {
    char hex[HASH_HEX_SIZE];
    return str_starts(digest, "sha256:") && str_eq(digest + 7, hash_hex(hash, hex));
}

int registry_manifest(const struct registry *registry, const char *repository, const char *digest,
                      const char *types, size_t max, char **ret, size_t *ret_n, struct err *err) {
    char url[1024], accept[400];
    const char *headers[] = {accept, NULL};
    struct http_call call = call_of(registry, max);
    write_url(registry, repository, "manifests", digest, url);
    (void)snprintf(accept, sizeof accept, "Accept: %s", types);
    call.url = url;
    call.headers = headers;
    int rc = http_run(&call, err);
    if (rc == 0 && call.status != 200)
        rc = refused(call.status, repository, digest, err);
    else if (rc == 0 && !is_digest_of(digest, hash_sha256(call.answer.s, call.answer.n, "", 0)))
        rc = err_set(err, ERR_RETRY, "the registry gave another manifest under the name \"%s@%s\"",
                     repository, digest);
    if (rc == 0) {
        *ret_n = call.answer.n;
        *ret = mem_alloc(call.answer.n + 1);
        memcpy(*ret, call.answer.s, call.answer.n);
        (*ret)[call.answer.n] = '\0';
    }
    http_release(&call);
    return rc;
}

/* ---- blobs ---- */

struct blob {
    struct http_call *call;
    int fd;
    int64_t have, size; /* bytes; have: in the file */
    bool answered;
    int error; /* of writing */
};

/* The first piece of an answer says from where it counts. */
static bool begin_answer(struct blob *blob) {
    blob->answered = true;
    if (blob->call->status != 200 || blob->have == 0)
        return true;
    blob->have = 0; /* this registry knows no ranges */
    return ftruncate(blob->fd, 0) == 0 && lseek(blob->fd, 0, SEEK_SET) == 0;
}

static bool write_piece(void *arg, const void *p, size_t n) {
    struct blob *blob = arg;
    if (blob->call->status != 200 && blob->call->status != 206)
        return true; /* what a refusal says is not kept */
    if ((!blob->answered && !begin_answer(blob)) || (int64_t)n > blob->size - blob->have)
        return false;
    for (const char *at = p; n;) {
        ssize_t put = write(blob->fd, at, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            blob->error = errno;
            return false;
        }
        at += put;
        n -= (size_t)put;
        blob->have += put;
    }
    return true;
}

/* One connection's worth of what is still lacking. */
static int fetch_rest(const struct registry *registry, const char *url, struct blob *blob, long *ret_status,
                      struct err *err) {
    char range[64];
    const char *headers[] = {range, NULL};
    struct http_call call = call_of(registry, 0);
    call.url = url;
    call.timeout_us = registry->until ? registry->until - clock_mono_us() : 0;
    if (registry->until && call.timeout_us < CLOCK_MS)
        return err_set(err, ERR_RETRY, "the time for a piece of an image is over");
    call.piece = write_piece;
    call.arg = blob;
    (void)snprintf(range, sizeof range, "Range: bytes=%lld-", (long long)blob->have);
    call.headers = blob->have ? headers : NULL;
    blob->call = &call;
    blob->answered = false;
    int rc = http_run(&call, err);
    *ret_status = call.status;
    http_release(&call);
    if (rc < 0 && blob->error)
        return err_set(err, ERR_RETRY, "what comes of an image cannot be kept: %s", strerror(blob->error));
    return rc;
}

static int fetch_all(const struct registry *registry, const char *repository, const char *digest,
                     struct blob *blob, struct err *err) {
    char url[1024];
    write_url(registry, repository, "blobs", digest, url);
    for (int cuts = 0; blob->have < blob->size;) {
        long status = 0;
        int64_t before = blob->have;
        int rc = fetch_rest(registry, url, blob, &status, err);
        if (rc == 0 && status != 200 && status != 206)
            return refused(status, repository, digest, err);
        if (blob->have == blob->size)
            break;
        if (blob->have <= before || blob->error || ++cuts == CUTS_MAX || (registry->stop && *registry->stop))
            return rc < 0 ? -1
                          : err_set(err, ERR_RETRY, "the registry gives %lld of the %lld bytes of \"%.19s\"",
                                    (long long)blob->have, (long long)blob->size, digest);
    }
    return 0;
}

/* What an earlier try left, to its end. */
static int open_part(const char *part, struct blob *blob, struct err *err) {
    struct stat st;
    blob->fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (blob->fd < 0 || fstat(blob->fd, &st) < 0)
        return err_set(err, ERR_RETRY, "%s: %s", part, strerror(errno));
    if (st.st_size > blob->size && ftruncate(blob->fd, 0) < 0)
        return err_set(err, ERR_RETRY, "%s: %s", part, strerror(errno));
    blob->have = lseek(blob->fd, 0, SEEK_END);
    return 0;
}

/* Whole, synced, and under its name. */
static int keep(const struct blob *blob, const char *part, const char *path, const char *digest,
                struct err *err) {
    struct hash hash;
    if (hash_sha256_file(blob->fd, &hash) < 0 || fsync(blob->fd) < 0)
        return err_set(err, ERR_RETRY, "%s: %s", part, strerror(errno));
    if (!is_digest_of(digest, hash)) {
        (void)unlink(part);
        return err_set(err, ERR_RETRY, "what the registry gave as \"%.19s\" is something else: thrown away",
                       digest);
    }
    if (rename(part, path) < 0)
        return err_set(err, ERR_RETRY, "%s: %s", path, strerror(errno));
    return 0;
}

int registry_blob(const struct registry *registry, const char *repository, const char *digest, int64_t size,
                  const char *path, struct err *err) {
    char part[1024];
    struct blob blob = {.fd = -1, .size = size};
    if (file_exists(path))
        return 0;
    (void)snprintf(part, sizeof part, "%s.part", path);
    int rc = open_part(part, &blob, err);
    if (rc == 0)
        rc = fetch_all(registry, repository, digest, &blob, err);
    if (rc == 0)
        rc = keep(&blob, part, path, digest, err);
    if (blob.fd >= 0)
        (void)close(blob.fd);
    return rc;
}
