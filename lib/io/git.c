#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "io/git_own.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ARGS_MAX 32
#define PUSH_S 15 /* an app waits for it: a remote that is away must not keep a node from starting */

#define ENV_MAX 16

static const char *const every_env[] = {
    "GIT_CONFIG_NOSYSTEM=1",       "GIT_CONFIG_GLOBAL=/dev/null",
    "GIT_TERMINAL_PROMPT=0",       "GIT_ALLOW_PROTOCOL=https:file",
    "GIT_AUTHOR_NAME=fairlead",    "GIT_AUTHOR_EMAIL=fairlead@localhost",
    "GIT_COMMITTER_NAME=fairlead", "GIT_COMMITTER_EMAIL=fairlead@localhost"};
static const char *const every_arg[] = {"-c", "safe.directory=*",           "-c", "core.hooksPath=/dev/null",
                                        "-c", "protocol.file.allow=always", "-c", "gc.auto=0",
                                        "-c", "http.lowSpeedLimit=1000",    "-c", "http.lowSpeedTime=20"};

/* What is set, of any length; the caller frees it. */
static char *add_env(const char *name, const char *value, const char **env, size_t *n) {
    size_t size = strlen(name) + strlen(value) + 2;
    if (!*value)
        return NULL;
    char *set = mem_alloc(size);
    (void)snprintf(set, size, "%s=%s", name, value);
    env[(*n)++] = set;
    return set;
}

int git_run_remote(const char *dir, const struct git_remote *remote, const char *const *args,
                   enum err_class cls, struct str *out, struct str *log, int64_t timeout_s, struct err *err) {
    const char *argv[ARGS_MAX] = {"git", "-C", dir}, *env[ENV_MAX];
    cleanup_free char *proxy = NULL, *no_proxy = NULL;
    size_t n = 3, env_n = sizeof every_env / sizeof *every_env;
    memcpy(argv + n, every_arg, sizeof every_arg);
    n += sizeof every_arg / sizeof *every_arg;
    while (*args && n < ARGS_MAX - 1)
        argv[n++] = *args++;
    argv[n] = NULL;
    memcpy(env, every_env, sizeof every_env);
    if (remote) {
        proxy = add_env("https_proxy", remote->proxy, env, &env_n);
        no_proxy = add_env("no_proxy", remote->no_proxy, env, &env_n);
    }
    env[env_n] = NULL;
    cleanup_str struct str own = STR_INIT(65536);
    struct proc proc = {
        .argv = argv, .env = env, .timeout_us = timeout_s * CLOCK_S, .out = out, .log = log ? log : &own};
    return proc_check(&proc, cls, err);
}

int git_run(const char *dir, const char *const *args, enum err_class cls, struct str *out, struct str *log,
            int64_t timeout_s, struct err *err) {
    return git_run_remote(dir, NULL, args, cls, out, log, timeout_s, err);
}

void git_forget_lock(const char *dir, const char *name) {
    char path[700];
    (void)snprintf(path, sizeof path, "%s/%s.lock", dir, name);
    (void)unlink(path);
}

/* One call at a time: the index belongs to the tree. */
static pthread_mutex_t tree_mutex = PTHREAD_MUTEX_INITIALIZER;

static int ensure_tree(const char *dir, const char *branch, struct err *err) {
    char objects[512];
    (void)snprintf(objects, sizeof objects, "%s/.git/objects/pack", dir);
    if (file_exists(objects))
        return 0;
    return file_mkdirs(dir, 0700, err) < 0
               ? -1
               : git_run(dir, (const char *const[]){"init", "-q", "-b", branch, NULL}, ERR_RETRY, NULL, NULL,
                         30, err);
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
    /* This file alone: what another left here when it was killed is for its own commit to tell. */
    if (git_run(dir, (const char *const[]){"update-index", "--add", "--remove", "--", file, NULL}, ERR_RETRY,
                NULL, NULL, 60, err) < 0 ||
        git_run(dir, (const char *const[]){"status", "--porcelain", "-uno", "--", file, NULL}, ERR_RETRY,
                &changed, NULL, 60, err) < 0)
        return -1;
    if (!changed.n && !str_is_cut(&changed))
        return 0;
    if (git_run(dir, (const char *const[]){"commit", "-q", "-m", message, "--only", "--", file, NULL},
                ERR_RETRY, NULL, NULL, 60, err) < 0)
        return -1;
    /* Four loose objects for each commit: packed when there are some hundreds, else there would be millions
     * of files. What cannot be packed now is packed another time. */
    (void)git_run(
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
    git_forget_lock(dir, ".git/index");
    git_forget_lock(dir, ".git/HEAD");
    git_forget_lock(dir, head);
    int rc = commit_file(dir, branch, file, content, message, err);
    pthread_mutex_unlock(&tree_mutex);
    return rc;
}

int git_push(const char *dir, const char *branch, const char *remote, struct err *err) {
    if (!*remote)
        return 0;
    return git_run(dir, (const char *const[]){"push", "-q", "--", remote, branch, NULL}, ERR_RETRY, NULL,
                   NULL, PUSH_S, err);
}
