/* F2: build one key and push it. The tag is the key, so an image that is there is found again; a build that
 * failed tags nothing. No secrets go in; memory and CPU are limited; the last lines of its output are kept
 * with the step. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/proc.h"
#include "io/git.h"
#include "worker/build_reason.h"
#include "worker/source.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUILD_LIMIT_S 1500
#define BUILD_ARGS_MAX 64 /* what a release may have */
#define BUILD_WORDS_MAX (2 * BUILD_ARGS_MAX + 16)
#define LINES_KEPT 60
#define LINES_BYTES 7900 /* of a report's 8000 */

static const char *const engine_env[] = {"DOCKER_BUILDKIT=0", NULL};

static int run_engine(struct worker *worker, const char *const *args, int64_t limit_s, enum err_class cls,
                      struct str *out, struct str *log, struct err *err) {
    char host[300];
    const char *argv[BUILD_WORDS_MAX + 4] = {"docker", "-H", host};
    size_t n = 3;
    (void)snprintf(host, sizeof host, "unix://%s", worker->conf.engine_socket);
    while (*args && n < BUILD_WORDS_MAX + 3)
        argv[n++] = *args++;
    struct proc proc = {.argv = argv,
                        .env = engine_env,
                        .timeout_us = limit_s * CLOCK_S,
                        .cancel = &worker->stopping,
                        .out = out,
                        .log = log};
    return proc_check(&proc, cls, err);
}

/* The digest that the registry knows the tag by. */
static int read_digest(struct worker *worker, const char *tag, char ret[80], struct err *err) {
    cleanup_str struct str out = STR_INIT(4096);
    const char *const args[] = {"image", "inspect", "--format", "{{range .RepoDigests}}{{.}} {{end}}",
                                tag,     NULL};
    if (run_engine(worker, args, 60, ERR_RETRY, &out, NULL, err) < 0)
        return -1;
    size_t repository = strlen(tag) - 65; /* ":" and 64 hex digits */
    for (const char *p = str_text(&out); (p = strstr(p, "@sha256:")); p++)
        if (strlen(p) >= 72 && (size_t)(p - str_text(&out)) >= repository &&
            strncmp(p - repository, tag, repository) == 0) {
            (void)snprintf(ret, 80, "%.71s", p + 1);
            return 0;
        }
    return err_set(err, ERR_RETRY, "the registry gave no digest for \"%s\"", tag);
}

static int prepare(struct worker *worker, const Fairlead__V1__Build *build, const char *context,
                   struct str *log, struct err *err) {
    struct source_place place;
    char commit[41];
    if (source_locate(worker, build->source, &place, err) < 0 || file_remove_tree(context, err) < 0)
        return -1;
    /* This builder may not be the one that resolved: fetch the commit, or what it was found by, from a server
     * that gives only its tips. */
    if (git_export(place.dir, build->commit, build->source->path, context, err) == 0)
        return 0;
    if (git_fetch(place.dir, place.url, build->commit, commit, log, err) < 0 &&
        (err->cls == ERR_RETRY || git_fetch(place.dir, place.url, build->source->ref, commit, log, err) < 0))
        return -1;
    if (strcmp(commit, build->commit) != 0)
        return err_set(err, ERR_PARK, "The source has moved on from commit %.12s: ask again.", build->commit);
    if (file_remove_tree(context, err) < 0)
        return -1;
    return git_export(place.dir, build->commit, build->source->path, context, err);
}

/* Did the machine fail, and not the source? Docker tells it only in words. A command of the Dockerfile that
 * failed is the source's fault, whatever it printed, but for a disk that is full and a kill from outside. */
static bool may_pass(const char *log) {
    static const char *const passing[] = {"Cannot connect to the Docker daemon",
                                          "error during connect",
                                          "connection refused",
                                          "connection reset",
                                          "i/o timeout",
                                          "handshake timeout",
                                          "unexpected EOF",
                                          "context canceled",
                                          "Service Unavailable"};
    const char *command = strstr(log, "returned a non-zero code: ");
    if (strstr(log, "no space left on device"))
        return true;
    if (command) {
        long code = strtol(strchr(command, ':') + 1, NULL, 10);
        return code == 128 + SIGKILL || code == 128 + SIGTERM;
    }
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        if (strstr(log, passing[i]))
            return true;
    return false;
}

static int build_and_push(struct worker *worker, const Fairlead__V1__Build *build, const char *context,
                          const char *tag, struct arena *arena, struct str *log, const char **ret_cls,
                          struct err *err) {
    const char *args[BUILD_WORDS_MAX] = {
        "build",         "--force-rm",
        "--memory",      "2g",
        "--memory-swap", "2g",
        "--cpu-quota",   "150000",
        "--build-arg",   arena_printf(arena, "BASE=%s/%s", worker->conf.registry, build->base_image)};
    size_t n = 10;
    *ret_cls = "bad_source";
    if (build->n_args > BUILD_ARGS_MAX)
        return err_set(err, ERR_PARK, "The build has more than %d arguments.", BUILD_ARGS_MAX);
    for (size_t i = 0; i < build->n_args; i++) {
        args[n++] = "--build-arg";
        args[n++] = arena_printf(arena, "%s=%s", build->args[i]->key, build->args[i]->value);
    }
    args[n++] = "-t";
    args[n++] = tag;
    args[n++] = context;
    *ret_cls = "build_failed";
    if (fault_check(FAULT_BUILD_EXPORTED, err) < 0)
        return -1;
    if (run_engine(worker, args, BUILD_LIMIT_S, ERR_PARK, NULL, log, err) < 0) {
        if (may_pass(str_text(log)))
            err->cls = ERR_RETRY;
        else if (err->cls == ERR_PARK)
            build_reason(str_text(log), err);
        return -1;
    }
    *ret_cls = "push_failed";
    if (fault_check(FAULT_BUILD_BUILT, err) < 0 ||
        run_engine(worker, (const char *const[]){"push", "-q", tag, NULL}, 600, ERR_RETRY, NULL, log, err) <
            0)
        return -1;
    return fault_check(FAULT_BUILD_PUSHED, err);
}

void builds_clear(const struct worker *worker) {
    char folder[512];
    (void)snprintf(folder, sizeof folder, "%s/builds", worker->conf.state);
    (void)file_remove_tree(folder, NULL);
}

void order_build(struct worker *worker, const Fairlead__V1__Build *build, struct arena *arena,
                 struct outcome *outcome) {
    struct err err = {0};
    uint8_t key[32];
    char context[512], digest[80];
    const char *cls = "bad_source";
    cleanup_str struct str log = STR_TAIL(262144);
    if (!hex_decode(key, sizeof key, build->build_key) || !name_is_path(build->image)) {
        (void)err_set(&err, ERR_PARK, "The build order is not well-formed.");
        outcome_fail(outcome, arena, cls, &err);
        return;
    }
    const char *tag = arena_printf(arena, "%s/%s:%s", worker->conf.registry, build->image, build->build_key);
    (void)snprintf(context, sizeof context, "%s/builds/%s.%d", worker->conf.state, build->build_key,
                   (int)gettid());
    /* Look: the registry may have it from an earlier try whose report was lost. */
    bool there = run_engine(worker, (const char *const[]){"pull", "-q", tag, NULL}, 600, ERR_RETRY, NULL,
                            NULL, &err) == 0;
    int rc = 0;
    err = (struct err){0};
    if (!there) {
        rc = prepare(worker, build, context, &log, &err);
        if (rc == 0)
            rc = build_and_push(worker, build, context, tag, arena, &log, &cls, &err);
        (void)file_remove_tree(context, NULL);
    }
    const char *tail = proc_tail(str_text(&log), LINES_KEPT);
    str_adds(&outcome->lines, strlen(tail) > LINES_BYTES ? tail + strlen(tail) - LINES_BYTES : tail);
    if (rc == 0) {
        cls = "no_digest";
        rc = read_digest(worker, tag, digest, &err);
    }
    if (rc < 0) {
        outcome_fail(outcome, arena, cls, &err);
        return;
    }
    outcome_fact(outcome, arena, "image", arena_printf(arena, "%s@%s", build->image, digest));
    outcome_fact(outcome, arena, "commit", build->commit);
    outcome_fact(outcome, arena, "found", there ? "true" : "false");
    outcome_ok(outcome);
}
