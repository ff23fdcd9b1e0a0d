/* Files that must survive: written beside, synced, renamed, folder synced. And small helpers for folders. */
#ifndef FAIRLEAD_BASE_FILE_H
#define FAIRLEAD_BASE_FILE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Whole file, at most `max` bytes, NUL-terminated; the caller frees *ret. Errors: park (missing: errno text).
 */
MUST_CHECK int file_read(const char *path, size_t max, char **ret, size_t *ret_n, struct err *err);
/* Replaces the file at once and durably (temporary file in the same folder, fsync, rename, fsync of folder).
 */
MUST_CHECK int file_write(const char *path, const void *p, size_t n, mode_t mode, struct err *err);
/* Removes a file or does nothing if there is none; the folder is synced. */
MUST_CHECK int file_remove(const char *path, struct err *err);
/* mkdir -p with this mode for what is made. */
MUST_CHECK int file_mkdirs(const char *path, mode_t mode, struct err *err);
/* rm -rf below a path, never following links; nothing there is no error. */
int file_remove_tree(const char *path, struct err *err);
bool file_exists(const char *path);
/* Held until the process ends, by the descriptor that is left open: waits a little for one that is just
 * ending. Class park: another process holds it. */
MUST_CHECK int file_lock(const char *path, int64_t wait_us, struct err *err);
/* Calls each(name, arg) for every entry but . and .. of a folder, in byte order; a missing folder has none.
 */
MUST_CHECK int file_list(const char *path, int (*each)(const char *name, void *arg, struct err *err),
                         void *arg, struct err *err);
/* Removes the entries of a folder that were not changed for so long, with all below them. Nothing there is no
 * error. */
MUST_CHECK int file_sweep(const char *path, int64_t age_s, struct err *err);
/* Files that hold keys or tokens must not be open to others: park if group or others may read it. */
MUST_CHECK int file_read_secret(const char *path, size_t max, char **ret, size_t *ret_n, struct err *err);

/* For the end of main(): what was not written was not said (a full disk, a reader that is gone). Returns
 * `rc`, or 1 where that would have been 0 and standard output could not be written; then it says so. */
MUST_CHECK int file_end_output(const char *program, int rc);

#endif
