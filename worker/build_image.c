/* F2: build one key and push it. The tag is the key, so an image that is there is found again; a build that
 * failed tags nothing. No secrets go in; memory and CPU are limited; the last lines of its output are kept
 * with the step. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/proc.h"
#include "base/str.h"
#include "io/git.h"
#include "model/dockerfile.h"
#include "worker/build_own.h"
#include "worker/build_reason.h"
#include "worker/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUILD_LIMIT_S 1500
#define DOCKERFILE_BYTES 1000000
#define LINES_KEPT 60
#define LINES_BYTES 7900 /* of a report's 8000 */

/* Context and Dockerfile, from what is here of the source. */
static int export(const char *dir, const Fairlead__V1__Build *build, const char *context,
                  const char *dockerfile, struct err *err) {
    char path[SOURCE_PATH_SIZE];
    source_dockerfile(build->source, path);
    if (file_remove_tree(context, err) < 0 ||
        git_export(dir, build->commit, build->source->path, context, err) < 0)
        return -1;
    /* One that lies in the context is read there; Docker copies any other into it. */
    return *build->source->dockerfile ? git_export_file(dir, build->commit, path, dockerfile, err) : 0;
}

static int prepare(struct worker *worker, const Fairlead__V1__Build *build, const char *context,
                   const char *dockerfile, struct str *log, struct err *err) {
    struct source_place place;
    char commit[41];
    if (source_locate(worker, build->source, &place, err) < 0)
        return -1;
    /* This builder may not be the one that resolved: fetch the commit, or what it was found by, from a server
     * that gives only its tips. */
    if (export(place.dir, build, context, dockerfile, err) == 0)
        return 0;
    if (git_fetch(place.dir, &place.remote, build->commit, commit, log, err) < 0 &&
        (err->cls == ERR_RETRY ||
         git_fetch(place.dir, &place.remote, build->source->ref, commit, log, err) < 0))
        return -1;
    if (strcmp(commit, build->commit) != 0)
        return err_set(
            err, ERR_PARK,
            "The source has moved on from commit %.12s, which its server gives no more. Register a "
            "new version.",
            build->commit);
    return export(place.dir, build, context, dockerfile, err);
}

/* A file of the source; a link may lead to another one of it, and nowhere else. */
static bool is_of_source(const char *path, const char *context) {
    struct stat st;
    cleanup_free char *real = realpath(path, NULL), *root = realpath(context, NULL);
    if (lstat(path, &st) == 0 && S_ISREG(st.st_mode))
        return true;
    return real && root && str_starts(real, root) && real[strlen(root)] == '/' && stat(real, &st) == 0 &&
           S_ISREG(st.st_mode);
}

/* One that cannot be read is the builder's to refuse. */
static int check_dockerfile(const char *path, const char *context, struct err *err) {
    cleanup_free char *text = NULL;
    long line = 0;
    if (is_of_source(path, context) && file_read(path, DOCKERFILE_BYTES, &text, NULL, NULL) == 0)
        line = dockerfile_heredoc(text);
    if (!line)
        return 0;
    return err_set(err, ERR_PARK,
                   "Line %ld of its Dockerfile begins a heredoc, whose lines would be left out (images are "
                   "built without BuildKit: no RUN --mount, no heredocs).",
                   line);
}

static int build_and_push(struct worker *worker, const Fairlead__V1__Build *build, const char *context,
                          const char *dockerfile, const char *tag, struct arena *arena, struct str *log,
                          const char **ret_cls, struct err *err) {
    static const char *const first[] = {"build",         "--force-rm", "--memory",    "2g",
                                        "--memory-swap", "2g",         "--cpu-quota", "150000"};
    struct vec words = {0};
    const char *base;
    *ret_cls = "no_base";
    if (build_base(worker, build->base_image, arena, &base, log, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        *vec_add(arena, &words, const char *) = first[i];
    *ret_cls = "bad_source";
    if (build_add_args(worker, build, base, &words, arena, err) < 0)
        return -1;
    const char *own = arena_printf(arena, "%s/Dockerfile", context);
    if (!*build->source->dockerfile)
        dockerfile = own;
    const char *const last[] = {"-t", tag, "-f", dockerfile, context, NULL};
    for (size_t i = 0; i < sizeof last / sizeof *last; i++)
        *vec_add(arena, &words, const char *) = last[i];
    *ret_cls = "build_failed";
    if (check_dockerfile(dockerfile, context, err) < 0 || fault_check(FAULT_BUILD_EXPORTED, err) < 0)
        return -1;
    if (build_engine(worker, words.items, BUILD_LIMIT_S, ERR_PARK, NULL, log, err) < 0) {
        if (log->s)
            log->n = str_make_plain(log->s);
        if (build_may_pass(str_text(log)))
            err->cls = ERR_RETRY;
        else if (err->cls == ERR_PARK)
            build_reason(str_text(log), err);
        return -1;
    }
    *ret_cls = "push_failed";
    if (fault_check(FAULT_BUILD_BUILT, err) < 0 ||
        build_engine(worker, (const char *const[]){"push", "-q", tag, NULL}, 600, ERR_RETRY, NULL, log, err) <
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
                 struct result *result) {
    struct err err = {0};
    uint8_t key[32];
    char context[512], dockerfile[544], digest[80];
    const char *cls = "bad_source", *id;
    cleanup_str struct str log = STR_TAIL(262144);
    if (!hex_decode(key, sizeof key, build->build_key) || !name_is_path(build->image)) {
        (void)err_set(&err, ERR_PARK, "The build order is not well-formed.");
        result_fail(result, arena, cls, &err);
        return;
    }
    const char *tag = arena_printf(arena, "%s/%s:%s", worker->conf.registry, build->image, build->build_key);
    (void)snprintf(context, sizeof context, "%s/builds/%s.%d", worker->conf.state, build->build_key,
                   (int)gettid());
    (void)snprintf(dockerfile, sizeof dockerfile, "%s.Dockerfile", context);
    /* Look: the registry may have it from an earlier try whose report was lost. */
    bool there = build_engine(worker, (const char *const[]){"pull", "-q", tag, NULL}, 600, ERR_RETRY, NULL,
                              NULL, &err) == 0;
    int rc = 0;
    err = (struct err){0};
    if (!there) {
        rc = prepare(worker, build, context, dockerfile, &log, &err);
        if (rc == 0)
            rc = build_and_push(worker, build, context, dockerfile, tag, arena, &log, &cls, &err);
        (void)file_remove_tree(context, NULL);
        (void)unlink(dockerfile);
    }
    const char *tail = proc_tail(str_text(&log), LINES_KEPT);
    str_adds(&result->log, strlen(tail) > LINES_BYTES ? tail + strlen(tail) - LINES_BYTES : tail);
    if (rc == 0) {
        cls = "no_digest";
        rc = build_digest(worker, tag, digest, &err);
        if (rc == 0)
            rc = build_image_id(worker, build->image, digest, arena, &id, &err);
    }
    if (rc < 0) {
        result_fail(result, arena, cls, &err);
        return;
    }
    result_fact(result, arena, "image", arena_printf(arena, "%s@%s", build->image, digest));
    result_fact(result, arena, "image_id", id);
    result_fact(result, arena, "commit", build->commit);
    result_fact(result, arena, "found", there ? "true" : "false");
    result_ok(result);
}
