/* A tar archive, by libarchive, written as it is read: nobody keeps a second copy of what may be large. */
#ifndef FAIRLEAD_IO_ARCHIVE_H
#define FAIRLEAD_IO_ARCHIVE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct archive_member {
    const char *name; /* in the archive */
    const char *file; /* whose content it is; NULL: that of `p` */
    const void *p;
    size_t n;
};

struct archive_stream;

/* A thread begins to write the members, in their order; all that they point to stays until archive_close().
 * *ret_fd is what is read from; the stream's. Class retry. */
MUST_CHECK int archive_open(const struct archive_member *members, size_t n, struct archive_stream **ret,
                            int *ret_fd, struct err *err);
/* Ends it, also before it was read to its end (the writer then gets EPIPE: SIGPIPE must be ignored). -1: what
 * was read is not the whole archive. */
int archive_close(struct archive_stream *stream, struct err *err);

/* Who takes members of an archive that is read. */
struct archive_taker {
    /* Where a file goes: a path that is not there yet (0600), in *ret_path; NULL: nowhere, it is passed over.
     */
    int (*place)(void *arg, const char *name, int64_t size, const char **ret_path, struct err *err);
    /* It is there, whole. */
    int (*placed)(void *arg, const char *name, const char *path, struct err *err);
    void *arg;
};
/* Reads an unpacked tar archive to its end. Class park: it is none, or ends early; retry: it cannot be read,
 * or what is taken cannot be written; or as the taker says. A file that was begun is removed. */
MUST_CHECK int archive_take(const char *path, const struct archive_taker *taker, struct err *err);

#endif
