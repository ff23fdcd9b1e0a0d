#include "node/secrets.h"

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static void sealed_path(const struct secrets *secrets, const char *name, char out[512]) {
    (void)snprintf(out, 512, "%s/sealed/%s/%s", secrets->state, secrets->instance, name);
}

/* Letters and digits without those that are mistaken for others; uniform, by libsodium. */
static void make_secret(char *out, int64_t length) {
    static const char letters[] = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    for (int64_t i = 0; i < length; i++)
        out[i] = letters[randombytes_uniform(sizeof letters - 1)];
    out[length] = '\0';
}

int secrets_open(const struct secrets *secrets, const char *name, char out[SECRET_MAX], struct err *err) {
    char path[512];
    struct arena arena = {0};
    cleanup_free char *box = NULL;
    size_t n, plain_n;
    void *plain;
    sealed_path(secrets, name, path);
    if (file_read_secret(path, 4096, &box, &n, err) < 0)
        return -1;
    int rc = sign_unseal(&secrets->node->keys, box, n, &arena, &plain, &plain_n, err);
    if (rc == 0 && plain_n >= SECRET_MAX)
        rc = err_set(err, ERR_PARK, "the sealed secret \"%s\" is too long", name);
    if (rc == 0) {
        memcpy(out, plain, plain_n);
        out[plain_n] = '\0';
        sodium_memzero(plain, plain_n);
    }
    arena_release(&arena);
    return rc;
}

static int ensure_sealed(const struct secrets *secrets, const char *name, const json_t *rule,
                         char out[SECRET_MAX], struct err *err) {
    char path[512], folder[512];
    struct arena arena = {0};
    size_t n;
    sealed_path(secrets, name, path);
    if (file_exists(path))
        return secrets_open(secrets, name, out, err);
    make_secret(out, json_int(rule, "length", 24));
    (void)snprintf(folder, sizeof folder, "%s/sealed/%s", secrets->state, secrets->instance);
    void *box = sign_seal(secrets->node->keys.seal_public, out, strlen(out), &arena, &n);
    int rc = file_mkdirs(folder, 0700, err);
    if (rc == 0)
        rc = file_write(path, box, n, 0600, err);
    arena_release(&arena);
    return rc;
}

/* length 0: any. */
static bool is_readable_by(const char *path, uid_t uid, size_t length, struct stat *st) {
    *st = (struct stat){0};
    return stat(path, st) == 0 && S_ISREG(st->st_mode) && st->st_uid == uid &&
           (st->st_mode & 07777) == 0400 && st->st_size > 0 && (!length || (size_t)st->st_size == length);
}

const char *secrets_missing(const struct secrets *secrets, const json_t *spec) {
    const char *name;
    json_t *rule, *reader;
    size_t i;
    struct stat st;
    json_object_foreach(json_object_get(spec, "secrets"), name, rule) {
        json_array_foreach(json_object_get(rule, "readers"), i, reader) {
            char path[600];
            (void)snprintf(path, sizeof path, "%s/%s/%s/%s", secrets->secrets_dir, secrets->instance,
                           json_str(reader, "service"), name);
            if (!is_readable_by(path, (uid_t)json_int(reader, "uid", 0), (size_t)json_int(rule, "length", 24),
                                &st))
                return name;
        }
    }
    return NULL;
}

static int write_reader(const struct secrets *secrets, const char *service, const char *name,
                        const char *value, uid_t uid, struct err *err) {
    char folder[512], path[600];
    struct stat st;
    (void)snprintf(folder, sizeof folder, "%s/%s/%s", secrets->secrets_dir, secrets->instance, service);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    if (is_readable_by(path, uid, strlen(value), &st))
        return 0;
    if (S_ISDIR(st.st_mode))
        (void)rmdir(path); /* a short-form bind made one while the tmpfs was away */
    if (file_mkdirs(folder, 0711, err) < 0)
        return -1;
    (void)unlink(path);
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    if (fd >= 0 && fchown(fd, uid, uid) == 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value) &&
        fchmod(fd, 0400) == 0)
        return 0;
    return err_errno(err, ERR_RETRY, "cannot write the secret \"%s\"", path);
}

#define SIZE_MIN_MB 4
#define SIZE_MAX_MB 1024

/* A page for each secret: the size follows what is held. */
static int grow(const char *folder, struct err *err) {
    struct statfs fs;
    char options[64];
    if (statfs(folder, &fs) < 0 || fs.f_type != TMPFS_MAGIC)
        return err_errno(err, ERR_RETRY, "\"%s\" is no tmpfs any more", folder);
    uint64_t size_mb = (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize / 1048576;
    if (size_mb >= SIZE_MAX_MB)
        return err_set(err, ERR_PARK, "\"%s\" is full with %d MiB of secrets", folder, SIZE_MAX_MB);
    (void)snprintf(options, sizeof options, "size=%llum",
                   (unsigned long long)(size_mb ? 2 * size_mb : SIZE_MIN_MB));
    if (mount(NULL, folder, NULL, MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC, options) == 0)
        return 0;
    return err_errno(err, ERR_RETRY, "the tmpfs \"%s\" cannot grow", folder);
}

static bool is_full(const char *folder) {
    struct statfs fs;
    return statfs(folder, &fs) == 0 && fs.f_type == TMPFS_MAGIC && (fs.f_bavail < 16 || fs.f_ffree < 16);
}

int secrets_ensure(const struct secrets *secrets, const json_t *spec, struct err *err) {
    const char *name;
    json_t *rule, *reader;
    size_t i;
    char value[SECRET_MAX];
    json_object_foreach(json_object_get(spec, "secrets"), name, rule) {
        if (ensure_sealed(secrets, name, rule, value, err) < 0)
            return -1;
        json_array_foreach(json_object_get(rule, "readers"), i, reader) {
            if ((is_full(secrets->secrets_dir) && grow(secrets->secrets_dir, err) < 0) ||
                write_reader(secrets, json_str(reader, "service"), name, value,
                             (uid_t)json_int(reader, "uid", 0), err) < 0)
                return -1;
        }
        sodium_memzero(value, sizeof value);
    }
    return 0;
}

int secrets_seal(const struct secrets *secrets, const char *name, const json_t *rule, const uint8_t *to,
                 struct arena *arena, void **ret, size_t *ret_n, struct err *err) {
    char value[SECRET_MAX];
    if (secrets_open(secrets, name, value, err) < 0)
        return -1;
    cleanup_json json_t *plain =
        json_pack("{s:s, s:s, s:s, s:s?, s:s?}", "instance", secrets->instance, "name", name, "value", value,
                  "user", json_str(rule, "user"), "title", json_str(rule, "title"));
    cleanup_free char *text = json_text(plain);
    *ret = sign_seal(to, text, strlen(text), arena, ret_n);
    sodium_memzero(text, strlen(text));
    sodium_memzero(value, sizeof value);
    return 0;
}

int secrets_remove(const struct secrets *secrets, bool for_ever, struct err *err) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", secrets->secrets_dir, secrets->instance);
    if (file_remove_tree(path, err) < 0)
        return -1;
    (void)snprintf(path, sizeof path, "%s/sealed/%s", secrets->state, secrets->instance);
    return for_ever ? file_remove_tree(path, err) : 0;
}

int secrets_mount(const char *folder, struct err *err) {
    struct statfs fs;
    if (file_mkdirs(folder, 0711, err) < 0)
        return -1;
    if (statfs(folder, &fs) == 0 && fs.f_type == TMPFS_MAGIC)
        return 0;
    /* noswap where the kernel knows it (6.3 and later) */
    if (mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4m,mode=0711,noswap") == 0 ||
        mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4m,mode=0711") == 0)
        return 0;
    return err_errno(err, ERR_PARK, "cannot mount a tmpfs at \"%s\"", folder);
}
