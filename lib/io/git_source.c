/* Sources: bare repositories that are fetched into, one commit deep. */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "io/git_own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define FETCH_S 120
#define ANSWER_S 20                /* within which a host must say something */
#define FILE_MAX 1048576           /* a Dockerfile */
#define LIST_MAX (8 * 1024 * 1024) /* of a folder: a hundred thousand files */
#define LFS_POINTER "version https://git-lfs.github.com/spec/v1"
#define LFS_POINTER_MAX 1024 /* bytes; larger is a text that speaks of them */

/* What is archived is what its author sees: attributes of the source must not leave out or rewrite files. */
#define ATTRIBUTES "* -export-ignore -export-subst\n"

static int ensure_bare(const char *dir, struct err *err) {
    char attributes[512]; /* made last: a killed `init` is run again, which is harmless */
    (void)snprintf(attributes, sizeof attributes, "%s/info/attributes", dir);
    if (file_exists(attributes))
        return 0;
    if (file_mkdirs(dir, 0700, err) < 0 ||
        git_run(dir, (const char *const[]){"init", "-q", "--bare", NULL}, ERR_RETRY, NULL, NULL, 30, err) < 0)
        return -1;
    return file_write(attributes, ATTRIBUTES, sizeof ATTRIBUTES - 1, 0600, err);
}

static int take_id(const struct str *out, char ret[41], struct err *err) {
    if (out->n < 40 || strspn(out->s, "0123456789abcdef") < 40)
        return err_set(err, ERR_PARK, "git did not name an object");
    (void)snprintf(ret, 41, "%.40s", out->s);
    return 0;
}

/* What a fetch that was killed had brought: as large as whoever served it liked. */
static int remove_part(const char *name, void *folder, struct err *err) {
    char path[1024];
    (void)err;
    (void)snprintf(path, sizeof path, "%s/%s", (const char *)folder, name);
    if (str_starts(name, "tmp_"))
        (void)unlink(path);
    return 0;
}

/* The reason in git's own words, without what it advises. */
static void quote_fatal(const char *said, struct err *err) {
    const char *line = strstr(said, "fatal: ");
    if (line)
        (void)err_set(err, err->cls, "%.*s", (int)str_cut_at(line + 7, strcspn(line + 7, "\r\n")), line + 7);
}

static void say_why(const char *said, const char *ref, struct err *err) {
    if (strstr(said, "couldn't find remote ref") || strstr(said, "not our ref") ||
        strstr(said, "does not allow request for unadvertised object"))
        (void)err_set(err, ERR_PARK, "there is no branch, tag or commit \"%s\"", ref);
    else if (strstr(said, "does not appear to be a git repository") || strstr(said, "' not found"))
        (void)err_set(err, err->cls, "it is not there, or is no git repository");
    else if (strstr(said, "could not read Username"))
        (void)err_set(err, err->cls, "it is not there, or asks for a login, which builders have none of");
    else
        quote_fatal(said, err);
}

/* A host that takes connections and never speaks would hold whoever waits for a fetch until that has had its
 * time: git sets no limit on how a connection begins. */
static int ask_host(const char *dir, const struct git_remote *remote, struct str *said, struct err *err) {
    const char *const args[] = {"ls-remote", "-q", "--", remote->url, "HEAD", NULL};
    return str_starts(remote->url, "https://")
               ? git_run_remote(dir, remote, args, ERR_RETRY, NULL, said, ANSWER_S, err)
               : 0;
}

static int fetch(const char *dir, const struct git_remote *remote, const char *ref, char ret[41],
                 struct str *log, struct err *err) {
    cleanup_str struct str out = STR_INIT(4096), said = STR_INIT(65536);
    if (ensure_bare(dir, err) < 0)
        return -1;
    const char *const args[] = {"fetch", "-q", "--no-tags", "--depth=1", "--", remote->url, ref, NULL};
    int rc = ask_host(dir, remote, &said, err);
    if (rc == 0)
        rc = git_run_remote(dir, remote, args, ERR_RETRY, NULL, &said, FETCH_S, err);
    if (log)
        str_adds(log, str_text(&said));
    if (rc < 0) {
        say_why(str_text(&said), ref, err);
        return -1;
    }
    if (git_run(dir, (const char *const[]){"rev-parse", "--verify", "FETCH_HEAD^{commit}", NULL}, ERR_PARK,
                &out, NULL, 30, err) < 0)
        return -1;
    return take_id(&out, ret, err);
}

/* One fetch of a repository at a time (FETCH_HEAD belongs to it), whatever others do: a host that hangs holds
 * up its own sources only. Given back by closing; -1 with errno. */
static int lock_source(const char *dir) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s.fetching", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    while (fd >= 0 && flock(fd, LOCK_EX) < 0)
        if (errno != EINTR) {
            (void)close(fd);
            return -1;
        }
    return fd;
}

int git_fetch(const char *dir, const struct git_remote *remote, const char *ref, char ret[41],
              struct str *log, struct err *err) {
    char packs[512];
    (void)snprintf(packs, sizeof packs, "%s/objects/pack", dir);
    if (file_mkdirs(dir, 0700, err) < 0)
        return -1;
    cleanup_close int lock = lock_source(dir);
    if (lock < 0)
        return err_errno(err, ERR_RETRY, "cannot lock \"%s\"", dir);
    git_forget_lock(dir, "shallow");
    return file_list(packs, remove_part, packs, err) < 0 ? -1 : fetch(dir, remote, ref, ret, log, err);
}

/* How git calls a path of a commit. */
static const char *spec_of(const char *commit, const char *path, char *ret, size_t size) {
    (void)snprintf(ret, size, "%s:%s", commit, str_eq(path, ".") ? "" : path);
    return ret;
}

int git_tree(const char *dir, const char *commit, const char *path, char ret[41], struct err *err) {
    char spec[512];
    cleanup_str struct str out = STR_INIT(4096);
    spec_of(commit, path, spec, sizeof spec);
    if (git_run(dir, (const char *const[]){"rev-parse", "--verify", spec, NULL}, ERR_PARK, &out, NULL, 30,
                err) < 0)
        return err_set(err, err->cls, "there is no \"%s\" in it (commit %.12s)", path, commit);
    return take_id(&out, ret, err);
}

/* Is this file, by its name in that tree, one that stands for another, elsewhere? */
static bool is_pointer(const char *dir, const char *tree, const char *file) {
    cleanup_free char *spec = NULL;
    cleanup_str struct str size = STR_INIT(64);
    int64_t bytes = 0;
    if (asprintf(&spec, "%s:%s", tree, file) < 0)
        abort();
    if (git_run(dir, (const char *const[]){"cat-file", "-s", spec, NULL}, ERR_PARK, &size, NULL, 30, NULL) <
        0)
        return false;
    size.s[strcspn(size.s, "\n")] = '\0';
    return str_to_int(size.s, 1, LFS_POINTER_MAX, &bytes);
}

static int refuse_submodules(const char *dir, const char *tree, struct err *err) {
    cleanup_str struct str list = STR_INIT(LIST_MAX);
    if (git_run(dir, (const char *const[]){"ls-tree", "-r", "-z", tree, NULL}, ERR_PARK, &list, NULL, 60,
                err) < 0)
        return -1;
    if (str_is_cut(&list))
        return err_set(err, ERR_PARK, "its folder has too many files");
    for (const char *entry = str_text(&list); *entry; entry += strlen(entry) + 1) {
        const char *name = strchr(entry, '\t');
        if (name && str_starts(entry, "160000 "))
            return err_set(err, ERR_PARK,
                           "\"%.100s\" is a submodule, which builds do not fetch: bring its files", name + 1);
    }
    return 0;
}

int git_check_whole(const char *dir, const char *tree, struct err *err) {
    cleanup_str struct str found = STR_INIT(65536);
    if (refuse_submodules(dir, tree, err) < 0)
        return -1;
    /* Status 1, and nothing said: no file holds it. */
    if (git_run(dir, (const char *const[]){"grep", "-l", "-z", "-F", "-e", LFS_POINTER, tree, NULL}, ERR_PARK,
                &found, NULL, 120, NULL) < 0)
        return 0;
    for (const char *entry = str_text(&found); *entry; entry += strlen(entry) + 1) {
        const char *name = strchr(entry, ':');
        if (name && is_pointer(dir, tree, name + 1))
            return err_set(err, ERR_PARK,
                           "\"%.100s\" is a pointer of Git LFS, which builds do not fetch: bring the file",
                           name + 1);
    }
    return 0;
}

int git_export(const char *dir, const char *commit, const char *path, const char *to, struct err *err) {
    char tar[512], spec[512];
    (void)snprintf(tar, sizeof tar, "%s.tar", to);
    spec_of(commit, path, spec, sizeof spec);
    if (file_mkdirs(to, 0700, err) < 0 ||
        git_run(dir, (const char *const[]){"archive", "--format=tar", "-o", tar, spec, NULL}, ERR_PARK, NULL,
                NULL, 120, err) < 0)
        return -1;
    const char *const argv[] = {"tar", "-C", to, "--no-same-owner", "-xf", tar, NULL};
    struct proc proc = {.argv = argv, .timeout_us = 120 * CLOCK_S};
    int rc = proc_check(&proc, ERR_RETRY, err);
    (void)unlink(tar);
    return rc;
}

int git_export_file(const char *dir, const char *commit, const char *path, const char *to, struct err *err) {
    char spec[512];
    cleanup_str struct str out = STR_INIT(FILE_MAX + 1), entry = STR_INIT(4096);
    if (git_run(dir, (const char *const[]){"ls-tree", commit, "--", path, NULL}, ERR_PARK, &entry, NULL, 30,
                err) < 0)
        return -1;
    if (!str_starts(str_text(&entry), "100"))
        return err_set(err, ERR_PARK, "its \"%s\" is no plain file (commit %.12s)", path, commit);
    spec_of(commit, path, spec, sizeof spec);
    if (git_run(dir, (const char *const[]){"cat-file", "blob", spec, NULL}, ERR_PARK, &out, NULL, 30, err) <
        0)
        return -1;
    if (str_is_cut(&out))
        return err_set(err, ERR_PARK, "its file \"%s\" is larger than 1 MB", path);
    return file_write(to, str_text(&out), out.n, 0600, err);
}
