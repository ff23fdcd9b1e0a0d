#include "io/archive.h"

#include "base/mem.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct archive_stream {
    const struct archive_member *members;
    size_t n;
    int read_fd, write_fd;
    pthread_t writer;
    struct err err; /* of the writer; to be read when it has ended */
};

static int write_file(struct archive *out, int fd, struct err *err) {
    char piece[65536];
    for (;;) {
        ssize_t n = read(fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_RETRY, "%s", strerror(errno));
        if (n == 0)
            return 0;
        if (archive_write_data(out, piece, (size_t)n) < 0)
            return err_set(err, ERR_RETRY, "%s", archive_error_string(out));
    }
}

static int write_member(struct archive *out, struct archive_entry *entry, const struct archive_member *member,
                        struct err *err) {
    struct stat st = {.st_size = (off_t)member->n};
    cleanup_close int fd = member->file ? open(member->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (member->file && (fd < 0 || fstat(fd, &st) < 0))
        return err_set(err, ERR_RETRY, "%s: %s", member->file, strerror(errno));
    archive_entry_clear(entry);
    archive_entry_set_pathname(entry, member->name);
    archive_entry_set_size(entry, st.st_size);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    if (archive_write_header(out, entry) != ARCHIVE_OK)
        return err_set(err, ERR_RETRY, "%s", archive_error_string(out));
    if (member->file)
        return write_file(out, fd, err);
    if (archive_write_data(out, member->p, member->n) < 0)
        return err_set(err, ERR_RETRY, "%s", archive_error_string(out));
    return 0;
}

static void *write_all(void *arg) {
    struct archive_stream *stream = arg;
    struct archive *out = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    if (!out || !entry)
        abort(); /* no memory */
    int rc = 0;
    if (archive_write_set_format_pax_restricted(out) != ARCHIVE_OK ||
        archive_write_open_fd(out, stream->write_fd) != ARCHIVE_OK)
        rc = err_set(&stream->err, ERR_RETRY, "%s", archive_error_string(out));
    for (size_t i = 0; i < stream->n && rc == 0; i++)
        rc = write_member(out, entry, &stream->members[i], &stream->err);
    if (rc == 0 && archive_write_close(out) != ARCHIVE_OK)
        rc = err_set(&stream->err, ERR_RETRY, "%s", archive_error_string(out));
    archive_entry_free(entry);
    (void)archive_write_free(out);
    (void)close(stream->write_fd);
    return NULL;
}

int archive_open(const struct archive_member *members, size_t n, struct archive_stream **ret, int *ret_fd,
                 struct err *err) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set(err, ERR_RETRY, "a pipe: %s", strerror(errno));
    struct archive_stream *stream = mem_alloc(sizeof *stream);
    *stream = (struct archive_stream){.members = members, .n = n, .read_fd = ends[0], .write_fd = ends[1]};
    int rc = pthread_create(&stream->writer, NULL, write_all, stream);
    if (rc != 0) {
        (void)close(ends[0]);
        (void)close(ends[1]);
        free(stream);
        return err_set(err, ERR_RETRY, "a thread: %s", strerror(rc));
    }
    *ret = stream;
    *ret_fd = stream->read_fd;
    return 0;
}

int archive_close(struct archive_stream *stream, struct err *err) {
    (void)close(stream->read_fd);
    (void)pthread_join(stream->writer, NULL);
    int rc = stream->err.text[0] ? -1 : 0;
    if (rc < 0)
        *err = stream->err;
    free(stream);
    return rc;
}

/* ---- reading ---- */

static int copy_member(struct archive *in, int fd, struct err *err) {
    const void *p;
    size_t n;
    la_int64_t at;
    int rc;
    while ((rc = archive_read_data_block(in, &p, &n, &at)) == ARCHIVE_OK)
        for (size_t put = 0; put < n;) {
            ssize_t now = pwrite(fd, (const char *)p + put, n - put, (off_t)at + (off_t)put);
            if (now < 0 && errno != EINTR)
                return err_errno(err, ERR_RETRY, "what is read cannot be kept");
            put += now > 0 ? (size_t)now : 0;
        }
    return rc == ARCHIVE_EOF ? 0 : err_set(err, ERR_PARK, "it ends early: %s", archive_error_string(in));
}

static int take_member(struct archive *in, struct archive_entry *entry, const struct archive_taker *taker,
                       struct err *err) {
    const char *name = archive_entry_pathname(entry), *path = NULL;
    if (archive_entry_filetype(entry) != AE_IFREG || !name || !archive_entry_size_is_set(entry))
        return 0;
    if (taker->place(taker->arg, name, archive_entry_size(entry), &path, err) < 0)
        return -1;
    if (!path)
        return 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(err, ERR_RETRY, "%s", path);
    int rc = copy_member(in, fd, err);
    if (close(fd) < 0 && rc == 0)
        rc = err_errno(err, ERR_RETRY, "%s", path);
    if (rc == 0)
        rc = taker->placed(taker->arg, name, path, err);
    if (rc < 0)
        (void)unlink(path);
    return rc;
}

int archive_take(const char *path, const struct archive_taker *taker, struct err *err) {
    struct archive *in = archive_read_new();
    struct archive_entry *entry;
    if (!in)
        abort(); /* no memory */
    int rc = 0, got = ARCHIVE_EOF;
    if (archive_read_support_format_tar(in) != ARCHIVE_OK ||
        archive_read_open_filename(in, path, 65536) != ARCHIVE_OK)
        rc = err_set(err, ERR_PARK, "%s: %s", path, archive_error_string(in));
    while (rc == 0 && (got = archive_read_next_header(in, &entry)) == ARCHIVE_OK)
        rc = take_member(in, entry, taker, err);
    if (rc == 0 && got != ARCHIVE_EOF)
        rc = err_set(err, ERR_PARK, "%s: %s", path, archive_error_string(in));
    (void)archive_read_free(in);
    return rc;
}
