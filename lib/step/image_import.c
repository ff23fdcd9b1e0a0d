#include "step/image_import.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"
#include "io/archive.h"
#include "model/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define BLOBS "blobs/sha256/"
#define ROOM_LEFT (256LL << 20) /* bytes that a file leaves of a disk */

struct taking {
    char folder[500], path[600];
    struct image_imported *count;
    const struct archive_taker *others;
};

static void folder_of(const char *state, char out[500]) {
    (void)snprintf(out, 500, "%s/" IMAGE_IMPORTED, state);
}

static bool is_hex64(const char *s) {
    return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

static bool is_blob(const char *path, const char *hex, int64_t size) {
    struct stat st;
    struct hash hash;
    char is[HASH_HEX_SIZE];
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && fstat(fd, &st) == 0 && (size < 0 || st.st_size == size) &&
           hash_sha256_file(fd, &hash) == 0 && str_eq(hash_hex(hash, is), hex);
}

/* NULL: it is no blob. */
static const char *hex_of(const char *name) {
    name = str_starts(name, "./") ? name + 2 : name;
    return str_starts(name, BLOBS) && is_hex64(name + strlen(BLOBS)) ? name + strlen(BLOBS) : NULL;
}

static int place(void *arg, const char *name, int64_t size, const char **ret_path, struct err *err) {
    struct taking *taking = arg;
    struct statvfs fs;
    const char *hex = hex_of(name);
    if (!hex)
        return taking->others->place(taking->others->arg, name, size, ret_path, err);
    if (size > MANIFEST_IMAGE_MAX ||
        (statvfs(taking->folder, &fs) == 0 && (int64_t)(fs.f_bavail * fs.f_frsize) < size + ROOM_LEFT))
        return err_set(err, ERR_RETRY, "the disk is too full for a piece of %lld MB",
                       (long long)(size / 1000000));
    (void)snprintf(taking->path, sizeof taking->path, "%s/%s.part", taking->folder, hex);
    *ret_path = taking->path;
    return 0;
}

static int placed(void *arg, const char *name, const char *path, struct err *err) {
    struct taking *taking = arg;
    struct stat st;
    char whole[600];
    const char *hex = hex_of(name);
    if (!hex)
        return taking->others->placed(taking->others->arg, name, path, err);
    if (!is_blob(path, hex, -1) || stat(path, &st) < 0)
        return err_set(err, ERR_PARK, "the file is damaged: \"%s\" is something else", name);
    (void)snprintf(whole, sizeof whole, "%s/%s", taking->folder, hex);
    if (rename(path, whole) < 0)
        return err_errno(err, ERR_RETRY, "%s", whole);
    taking->count->blobs++;
    taking->count->bytes += st.st_size;
    return 0;
}

int image_import(const char *state, const char *file, const struct archive_taker *others,
                 struct image_imported *ret, struct err *err) {
    struct taking taking = {.count = ret, .others = others};
    const struct archive_taker taker = {.place = place, .placed = placed, .arg = &taking};
    *ret = (struct image_imported){0};
    folder_of(state, taking.folder);
    if (file_mkdirs(taking.folder, 0700, err) < 0)
        return -1;
    return archive_take(file, &taker, err);
}

bool image_imported(const char *state, const char *digest, int64_t size, char path[600]) {
    char folder[500];
    folder_of(state, folder);
    (void)snprintf(path, 600, "%s/%s", folder, digest + strlen("sha256:"));
    return file_exists(path) && is_blob(path, digest + strlen("sha256:"), size);
}

void image_import_drop(const char *state, const char *digest) {
    char folder[500], path[600];
    folder_of(state, folder);
    (void)snprintf(path, sizeof path, "%s/%s", folder, digest + strlen("sha256:"));
    (void)unlink(path);
}
