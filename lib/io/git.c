#include "io/git.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ARGS_MAX 32
#define PUSH_S 15 /* an app waits for it: a remote that is away must not keep a node from starting */

static const char *const git_env[] = {"GIT_CONFIG_NOSYSTEM=1",
                                      "GIT_CONFIG_GLOBAL=/dev/null",
                                      "GIT_TERMINAL_PROMPT=0",
                                      "GIT_ALLOW_PROTOCOL=https:file",
                                      "GIT_AUTHOR_NAME=fairlead",
                                      "GIT_AUTHOR_EMAIL=fairlead@localhost",
                                      "GIT_COMMITTER_NAME=fairlead",
                                      "GIT_COMMITTER_EMAIL=fairlead@localhost",
                                      NULL};

/* git -C DIR with what every call needs, then the arguments. */
static int run(const char *dir, const char *const *args, enum err_class cls, struct str *out, struct str *log,
               int64_t timeout_s, struct err *err) {
    const char *argv[ARGS_MAX] = {"git",
                                  "-C",
                                  dir,
                                  "-c",
                                  "safe.directory=*",
                                  "-c",
                                  "core.hooksPath=/dev/null",
                                  "-c",
                                  "protocol.file.allow=always",
                                  "-c",
                                  "gc.auto=0",
                                  "-c",
                                  "http.lowSpeedLimit=1000",
                                  "-c",
                                  "http.lowSpeedTime=20"};
    size_t n = 15;
    while (*args && n < ARGS_MAX - 1)
        argv[n++] = *args++;
    cleanup_str struct str own = STR_INIT(65536);
    struct proc proc = {
        .argv = argv, .env = git_env, .timeout_us = timeout_s * CLOCK_S, .out = out, .log = log ? log : &own};
    return proc_check(&proc, cls, err);
}

static int ensure_bare(const char *dir, struct err *err) {
    char objects[512]; /* made last: a killed `init` is run again, which is harmless */
    (void)snprintf(objects, sizeof objects, "%s/objects/pack", dir);
    if (file_exists(objects))
        return 0;
    if (file_mkdirs(dir, 0700, err) < 0)
        return -1;
    return run(dir, (const char *const[]){"init", "-q", "--bare", NULL}, ERR_RETRY, NULL, NULL, 30, err);
}

static int take_id(const struct str *out, char ret[41], struct err *err) {
    if (out->n < 40 || strspn(out->s, "0123456789abcdef") < 40)
        return err_set(err, ERR_PARK, "git did not name an object");
    (void)snprintf(ret, 41, "%.40s", out->s);
    return 0;
}

/* One call at a time: FETCH_HEAD and the index belong to a repository, not to a call. Sources and our own
 * tree do not wait for each other. A lock file that is there is what a killed git left, because nobody else
 * uses these repositories. */
static pthread_mutex_t source_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t tree_mutex = PTHREAD_MUTEX_INITIALIZER;

static void remove_lock(const char *dir, const char *name) {
    char path[700];
    (void)snprintf(path, sizeof path, "%s/%s.lock", dir, name);
    (void)unlink(path);
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

static int fetch(const char *dir, const char *url, const char *ref, char ret[41], struct str *log,
                 struct err *err) {
    cleanup_str struct str out = STR_INIT(4096);
    cleanup_str struct str own = STR_INIT(65536);
    struct str *said = log ? log : &own;
    if (ensure_bare(dir, err) < 0)
        return -1;
    if (run(dir, (const char *const[]){"fetch", "-q", "--no-tags", "--depth=1", "--", url, ref, NULL},
            ERR_RETRY, NULL, said, 120, err) < 0) {
        if (strstr(str_text(said), "couldn't find remote ref"))
            err->cls = ERR_PARK;
        return -1;
    }
    if (run(dir, (const char *const[]){"rev-parse", "--verify", "FETCH_HEAD^{commit}", NULL}, ERR_PARK, &out,
            NULL, 30, err) < 0)
        return -1;
    return take_id(&out, ret, err);
}

int git_fetch(const char *dir, const char *url, const char *ref, char ret[41], struct str *log,
              struct err *err) {
    pthread_mutex_lock(&source_mutex);
    char packs[512];
    (void)snprintf(packs, sizeof packs, "%s/objects/pack", dir);
    remove_lock(dir, "shallow");
    int rc = file_list(packs, remove_part, packs, err);
    if (rc == 0)
        rc = fetch(dir, url, ref, ret, log, err);
    pthread_mutex_unlock(&source_mutex);
    return rc;
}

int git_tree(const char *dir, const char *commit, const char *path, char ret[41], struct err *err) {
    char spec[512];
    cleanup_str struct str out = STR_INIT(4096);
    (void)snprintf(spec, sizeof spec, "%s:%s", commit, path);
    if (run(dir, (const char *const[]){"rev-parse", "--verify", spec, NULL}, ERR_PARK, &out, NULL, 30, err) <
        0)
        return -1;
    return take_id(&out, ret, err);
}

int git_export(const char *dir, const char *commit, const char *path, const char *to, struct err *err) {
    char tar[512], spec[512];
    (void)snprintf(tar, sizeof tar, "%s.tar", to);
    (void)snprintf(spec, sizeof spec, "%s:%s", commit, path);
    if (file_mkdirs(to, 0700, err) < 0 ||
        run(dir, (const char *const[]){"archive", "--format=tar", "-o", tar, spec, NULL}, ERR_PARK, NULL,
            NULL, 120, err) < 0)
        return -1;
    const char *const argv[] = {"tar", "-C", to, "--no-same-owner", "-xf", tar, NULL};
    struct proc proc = {.argv = argv, .timeout_us = 120 * CLOCK_S};
    int rc = proc_check(&proc, ERR_RETRY, err);
    (void)unlink(tar);
    return rc;
}

static int ensure_tree(const char *dir, const char *branch, struct err *err) {
    char objects[512];
    (void)snprintf(objects, sizeof objects, "%s/.git/objects/pack", dir);
    if (file_exists(objects))
        return 0;
    return file_mkdirs(dir, 0700, err) < 0 ? -1
                                           : run(dir, (const char *const[]){"init", "-q", "-b", branch, NULL},
                                                 ERR_RETRY, NULL, NULL, 30, err);
}

static int commit_file(const char *dir, const char *branch, const char *file, const char *content,
                       const char *message, struct err *err) {
    char path[1024], folder[1024];
    cleanup_str struct str changed = STR_INIT(4096);
    if (ensure_tree(dir, branch, err) < 0)
        return -1;
    (void)snprintf(path, sizeof path, "%s/%s", dir, file);
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    if (content
            ? file_mkdirs(folder, 0700, err) < 0 || file_write(path, content, strlen(content), 0600, err) < 0
            : file_remove(path, err) < 0)
        return -1;
    if (!content)
        (void)rmdir(folder); /* unless something else lies in it */
    if (run(dir, (const char *const[]){"add", "-A", "--", ".", ":(exclude)*.tmp.*", NULL}, ERR_RETRY, NULL,
            NULL, 60, err) < 0 ||
        run(dir, (const char *const[]){"status", "--porcelain", "-uno", NULL}, ERR_RETRY, &changed, NULL, 60,
            err) < 0)
        return -1;
    if (!changed.n && !str_is_cut(&changed))
        return 0;
    if (run(dir, (const char *const[]){"commit", "-q", "-m", message, NULL}, ERR_RETRY, NULL, NULL, 60, err) <
        0)
        return -1;
    /* Four loose objects for each commit: packed when there are some hundreds, else there would be millions
     * of files. What cannot be packed now is packed another time. */
    (void)run(
        dir,
        (const char *const[]){"-c", "gc.auto=400", "-c", "gc.autoDetach=false", "gc", "--auto", "-q", NULL},
        ERR_RETRY, NULL, NULL, 120, NULL);
    return 0;
}

int git_commit_file(const char *dir, const char *branch, const char *file, const char *content,
                    const char *message, struct err *err) {
    char head[128];
    (void)snprintf(head, sizeof head, ".git/refs/heads/%s", branch);
    pthread_mutex_lock(&tree_mutex);
    remove_lock(dir, ".git/index");
    remove_lock(dir, ".git/HEAD");
    remove_lock(dir, head);
    int rc = commit_file(dir, branch, file, content, message, err);
    pthread_mutex_unlock(&tree_mutex);
    return rc;
}

int git_push(const char *dir, const char *branch, const char *remote, struct err *err) {
    if (!*remote)
        return 0;
    return run(dir, (const char *const[]){"push", "-q", "--", remote, branch, NULL}, ERR_RETRY, NULL, NULL,
               PUSH_S, err);
}
