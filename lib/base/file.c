#include "base/file.h"

#include "base/clock.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int read_fd(int fd, const char *path, size_t max, char **ret, size_t *ret_n, struct err *err) {
    cleanup_free char *buf = mem_alloc(max + 1);
    size_t n = 0;
    for (;;) {
        ssize_t got = read(fd, buf + n, max + 1 - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(err, ERR_PARK, "cannot read \"%s\"", path);
        if (got == 0)
            break;
        n += (size_t)got;
        if (n > max)
            return err_set(err, ERR_PARK, "\"%s\" is larger than %zu bytes", path, max);
    }
    buf[n] = '\0';
    *ret = mem_steal(buf);
    if (ret_n)
        *ret_n = n;
    return 0;
}

int file_lock(const char *path, int64_t wait_us, struct err *err) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(err, ERR_RETRY, "cannot open \"%s\"", path);
    for (int64_t until = clock_mono_us() + wait_us; flock(fd, LOCK_EX | LOCK_NB) < 0; (void)usleep(50000))
        if (errno != EWOULDBLOCK || clock_mono_us() > until) {
            (void)err_errno(err, errno == EWOULDBLOCK ? ERR_PARK : ERR_RETRY, "cannot lock \"%s\"", path);
            (void)close(fd);
            return -1;
        }
    return 0;
}

int file_read(const char *path, size_t max, char **ret, size_t *ret_n, struct err *err) {
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, ERR_PARK, "cannot open \"%s\"", path);
    return read_fd(fd, path, max, ret, ret_n, err);
}

struct sweep {
    const char *folder;
    time_t before;
};

static int sweep_one(const char *name, void *arg, struct err *err) {
    const struct sweep *sweep = arg;
    char path[PATH_MAX];
    struct stat st;
    (void)snprintf(path, sizeof path, "%s/%s", sweep->folder, name);
    if (lstat(path, &st) < 0 || st.st_mtime >= sweep->before)
        return 0;
    return S_ISDIR(st.st_mode) ? file_remove_tree(path, err) : file_remove(path, err);
}

int file_sweep(const char *path, int64_t age_s, struct err *err) {
    struct sweep sweep = {path, time(NULL) - age_s};
    return file_list(path, sweep_one, &sweep, err);
}

int file_read_secret(const char *path, size_t max, char **ret, size_t *ret_n, struct err *err) {
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_errno(err, ERR_PARK, "cannot open \"%s\"", path);
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077))
        return err_set(err, ERR_PARK, "\"%s\" must be a file that only its owner may read: chmod 600 it",
                       path);
    return read_fd(fd, path, max, ret, ret_n, err);
}

static int sync_folder_of(const char *path, struct err *err) {
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (!slash)
        (void)snprintf(dir, sizeof dir, ".");
    else
        (void)snprintf(dir, sizeof dir, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    cleanup_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return err_errno(err, ERR_RETRY, "cannot sync folder \"%s\"", dir);
    return 0;
}

int file_write(const char *path, const void *p, size_t n, mode_t mode, struct err *err) {
    char tmp[PATH_MAX];
    if ((size_t)snprintf(tmp, sizeof tmp, "%s.tmp.%d", path, (int)gettid()) >= sizeof tmp)
        return err_set(err, ERR_PARK, "path \"%s\" is too long", path);
    (void)unlink(tmp); /* a crash may have left one, with other rights */
    cleanup_close int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return err_errno(err, ERR_RETRY, "cannot create \"%s\"", tmp);
    const char *at = p;
    for (size_t left = n; left;) {
        ssize_t put = write(fd, at, left);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            (void)err_errno(err, ERR_RETRY, "cannot write \"%s\"", tmp);
            (void)unlink(tmp);
            return -1;
        }
        at += put;
        left -= (size_t)put;
    }
    if (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(tmp, path) < 0) {
        (void)err_errno(err, ERR_RETRY, "cannot put \"%s\" in place", path);
        (void)unlink(tmp);
        return -1;
    }
    return sync_folder_of(path, err);
}

int file_remove(const char *path, struct err *err) {
    if (unlink(path) < 0)
        return errno == ENOENT ? 0 : err_errno(err, ERR_RETRY, "cannot remove \"%s\"", path);
    return sync_folder_of(path, err);
}

int file_mkdirs(const char *path, mode_t mode, struct err *err) {
    char part[PATH_MAX];
    size_t n = strlen(path);
    if (n >= sizeof part)
        return err_set(err, ERR_PARK, "path \"%s\" is too long", path);
    memcpy(part, path, n + 1);
    for (char *p = part + 1;; p++) {
        if (*p != '/' && *p)
            continue;
        char end = *p;
        *p = '\0';
        if (mkdir(part, mode) < 0 && errno != EEXIST)
            return err_errno(err, ERR_RETRY, "cannot make folder \"%s\"", part);
        if (!end)
            return 0;
        *p = end;
    }
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw) {
    (void)st, (void)ftw;
    return kind == FTW_DP ? rmdir(path) : unlink(path);
}

int file_remove_tree(const char *path, struct err *err) {
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0 && errno != ENOENT)
        return err_errno(err, ERR_RETRY, "cannot remove folder \"%s\"", path);
    return 0;
}

bool file_exists(const char *path) {
    return access(path, F_OK) == 0;
}

static int name_order(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

int file_list(const char *path, int (*each)(const char *name, void *arg, struct err *err), void *arg,
              struct err *err) {
    struct dirent **entries = NULL;
    int n = scandir(path, &entries, NULL, name_order);
    if (n < 0)
        return errno == ENOENT ? 0 : err_errno(err, ERR_RETRY, "cannot list \"%s\"", path);
    int rc = 0;
    for (int i = 0; i < n; i++) {
        const char *name = entries[i]->d_name;
        if (rc == 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            rc = each(name, arg, err);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

int file_end_output(const char *program, int rc) {
    bool failed = ferror(stdout); /* before: errno is another's by now */
    errno = 0;
    if (fflush(stdout) == 0 && !failed)
        return rc;
    (void)fprintf(stderr, "%s: the output cannot be written: %s\n", program,
                  errno ? strerror(errno) : "is the disk full, or the reader gone?");
    return rc ? rc : 1;
}
