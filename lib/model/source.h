/* The source of a release's image as works: what their keys are made of, and their parameters.
 *
 * A release is pinned: each of its sources is resolved once, under a key of the release's own, and that
 * commit serves for ever. One that says `follow` is asked again for each instance that is made. What is built
 * is the same wherever the commit, the files, the base and the arguments are: so a newer base builds the same
 * commit anew. */
#ifndef FAIRLEAD_MODEL_SOURCE_H
#define FAIRLEAD_MODEL_SOURCE_H

#include "base/mem.h"
#include "model/catalog.h"

/* Is it asked again for each instance? */
bool source_follows(const struct release *release, const char *image);
/* "resolve:" and 64 hex digits. `image` is one of the release's. */
const char *source_resolve_key(const struct release *release, const char *image, struct arena *arena);
/* JSON: the source as the release says it; with `release` and `image` where it is pinned. */
const char *source_resolve_params(const struct release *release, const char *image, struct arena *arena);

/* "build:" and 64 hex digits, the tag of the image. `resolved`: the facts of the resolve work (commit, tree,
 * dockerfile); `base`: repository@digest that it is built from. */
const char *source_build_key(const struct release *release, const char *image, const json_t *resolved,
                             const char *base, struct arena *arena);
/* JSON: source, base, commit, tree, build_key, image (its repository in the registry). */
const char *source_build_params(const struct release *release, const char *image, const json_t *resolved,
                                const char *base, struct arena *arena);

#endif
