/* F1: which commit is our fork at, and what does a build of it read? The build key is made of that
 * (model/source.h): the object id of a folder says all that is in it. */
#include "base/fault.h"
#include "base/hash.h"
#include "io/git.h"
#include "worker/source.h"

#include <stdio.h>
#include <string.h>

int source_locate(const struct worker *worker, const Fairlead__V1__Source *source, struct source_place *ret,
                  struct err *err) {
    char hex[HASH_HEX_SIZE];
    bool https = str_starts(source->repository, "https://");
    if (!name_is_https_or_path(source->repository) || !name_is_ref(source->ref) ||
        !name_is_folder(source->path) || (*source->dockerfile && !name_is_path(source->dockerfile)))
        return err_set(err, ERR_PARK, "The source of this image is not well-formed.");
    if (!https && !*worker->conf.source_prefix)
        return err_set(err, ERR_PARK, "This builder has no folder of sources: set its option sources.");
    (void)snprintf(ret->url, sizeof ret->url, "%s%s%s", https ? "" : worker->conf.source_prefix,
                   https ? "" : "/", source->repository);
    ret->remote =
        (struct git_remote){.url = ret->url, .proxy = worker->conf.proxy, .no_proxy = worker->conf.no_proxy};
    hash_hex(hash_of(ret->url, strlen(ret->url)), hex);
    (void)snprintf(ret->dir, sizeof ret->dir, "%s/sources/%.32s.git", worker->conf.state, hex);
    return 0;
}

void source_dockerfile(const Fairlead__V1__Source *source, char ret[SOURCE_PATH_SIZE]) {
    const char *folder = str_eq(source->path, ".") ? "" : source->path;
    (void)snprintf(ret, SOURCE_PATH_SIZE, "%s%s%s", *source->dockerfile ? source->dockerfile : folder,
                   *source->dockerfile || !*folder ? "" : "/", *source->dockerfile ? "" : "Dockerfile");
}

static void fail(struct result *result, struct arena *arena, const char *cls,
                 const Fairlead__V1__Source *source, struct err *err) {
    (void)err_wrap(err, "The repository \"%s\"", source->repository);
    result_fail(result, arena, cls, err);
}

void order_resolve(struct worker *worker, const Fairlead__V1__Resolve *resolve, struct arena *arena,
                   struct result *result) {
    struct err err = {0};
    struct source_place place;
    char commit[41], tree[41], dockerfile[41], path[SOURCE_PATH_SIZE];
    if (source_locate(worker, resolve->source, &place, &err) < 0) {
        result_fail(result, arena, "bad_source", &err);
        return;
    }
    if (git_fetch(place.dir, &place.remote, resolve->source->ref, commit, &result->log, &err) < 0) {
        fail(result, arena, err.cls == ERR_PARK ? "ref_missing" : "git_unreachable", resolve->source, &err);
        return;
    }
    if (fault_check(FAULT_RESOLVE_FETCHED, &err) < 0) {
        result_fail(result, arena, "git_unreachable", &err);
        return;
    }
    source_dockerfile(resolve->source, path);
    if (git_tree(place.dir, commit, resolve->source->path, tree, &err) < 0 ||
        git_tree(place.dir, commit, path, dockerfile, &err) < 0) {
        fail(result, arena, "dockerfile_missing", resolve->source, &err);
        return;
    }
    if (git_check_whole(place.dir, tree, &err) < 0) {
        fail(result, arena, "source_not_whole", resolve->source, &err);
        return;
    }
    result_fact(result, arena, "commit", commit);
    result_fact(result, arena, "tree", tree);
    result_fact(result, arena, "dockerfile", dockerfile);
    result_ok(result);
}
