/* F1: which commit is our fork at, and which build key does that give? The key is made of the commit, the
 * whole build context (the folder's object id says all that is in it, its Dockerfile too), the base image and
 * the build arguments: whatever has the same key is the same image. */
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
        !name_is_path(source->path))
        return err_set(err, ERR_PARK, "The source of this image is not well-formed.");
    if (!https && !*worker->conf.source_prefix)
        return err_set(err, ERR_PARK, "This builder has no folder of sources: set its option source-prefix.");
    (void)snprintf(ret->url, sizeof ret->url, "%s%s%s", https ? "" : worker->conf.source_prefix,
                   https ? "" : "/", source->repository);
    hash_hex(hash_of(ret->url, strlen(ret->url)), hex);
    (void)snprintf(ret->dir, sizeof ret->dir, "%s/sources/%.32s.git", worker->conf.state, hex);
    return 0;
}

static struct hash key_of(const char *commit, const char *tree, const char *base,
                          Fairlead__V1__KeyValue *const *args, size_t n, struct arena *arena) {
    const char **texts = arena_alloc(arena, (2 * n + 4) * sizeof *texts);
    size_t at = 0;
    texts[at++] = commit;
    texts[at++] = tree;
    texts[at++] = base;
    for (size_t i = 0; i < n; i++) {
        texts[at++] = args[i]->key;
        texts[at++] = args[i]->value;
    }
    return hash_texts(texts);
}

static void fail(struct outcome *outcome, struct arena *arena, const char *cls,
                 const Fairlead__V1__Source *source, struct err *err) {
    (void)err_wrap(err, "The repository \"%s\"", source->repository);
    outcome_fail(outcome, arena, cls, err);
}

void order_resolve(struct worker *worker, const Fairlead__V1__Resolve *resolve, struct arena *arena,
                   struct outcome *outcome) {
    struct err err = {0};
    struct source_place place;
    char commit[41], tree[41], dockerfile[41], path[256], key[HASH_HEX_SIZE];
    if (source_locate(worker, resolve->source, &place, &err) < 0) {
        outcome_fail(outcome, arena, "bad_source", &err);
        return;
    }
    if (git_fetch(place.dir, place.url, resolve->source->ref, commit, &outcome->lines, &err) < 0) {
        fail(outcome, arena, err.cls == ERR_PARK ? "ref_missing" : "git_unreachable", resolve->source, &err);
        return;
    }
    if (fault_check(FAULT_RESOLVE_FETCHED, &err) < 0) {
        outcome_fail(outcome, arena, "git_unreachable", &err);
        return;
    }
    (void)snprintf(path, sizeof path, "%s/Dockerfile", resolve->source->path);
    if (git_tree(place.dir, commit, resolve->source->path, tree, &err) < 0 ||
        git_tree(place.dir, commit, path, dockerfile, &err) < 0) {
        fail(outcome, arena, "dockerfile_missing", resolve->source, &err);
        return;
    }
    if (git_check_whole(place.dir, tree, &err) < 0) {
        fail(outcome, arena, "source_not_whole", resolve->source, &err);
        return;
    }
    hash_hex(key_of(commit, tree, resolve->base_image, resolve->args, resolve->n_args, arena), key);
    outcome_fact(outcome, arena, "commit", commit);
    outcome_fact(outcome, arena, "tree", tree);
    outcome_fact(outcome, arena, "build_key", key);
    outcome_ok(outcome);
}
