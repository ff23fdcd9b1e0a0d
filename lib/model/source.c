#include "model/source.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/str.h"

#include <stdlib.h>

static const json_t *source_of(const struct release *release, const char *image) {
    return json_object_get(json_object_get(release->spec, "images"), image);
}

bool source_follows(const struct release *release, const char *image) {
    return json_is_true(json_object_get(source_of(release, image), "follow"));
}

static const char *key_of(const char *kind, struct hash hash, struct arena *arena) {
    char hex[HASH_HEX_SIZE];
    return arena_printf(arena, "%s:%s", kind, (hash_hex(hash, hex), hex));
}

static const char *text_of(const json_t *object, struct arena *arena) {
    cleanup_free char *text = json_text(object);
    return arena_strdup(arena, text);
}

const char *source_resolve_key(const struct release *release, const char *image, struct arena *arena) {
    const json_t *source = source_of(release, image);
    char id[UUID_HEX_SIZE];
    if (!source_follows(release, image))
        return key_of("resolve", hash_texts((const char *const[]){uuid_hex(release->id, id), image, NULL}),
                      arena);
    const char *dockerfile = json_str(source, "dockerfile");
    return key_of(
        "resolve",
        hash_texts((const char *const[]){json_str(source, "repository"), json_str(source, "ref"),
                                         json_str(source, "path"), dockerfile ? dockerfile : "", NULL}),
        arena);
}

const char *source_resolve_params(const struct release *release, const char *image, struct arena *arena) {
    cleanup_json json_t *params = json_deep_copy(source_of(release, image));
    char id[UUID_HEX_SIZE];
    if (!source_follows(release, image)) {
        (void)json_object_set_new(params, "release", json_string(uuid_hex(release->id, id)));
        (void)json_object_set_new(params, "image", json_string(image));
    }
    return text_of(params, arena);
}

static struct hash build_hash(const json_t *source, const json_t *resolved, const char *base,
                              struct arena *arena) {
    cleanup_free char *sorted = json_text(json_object_get(source, "args"));
    cleanup_json json_t *args = json_loads(sorted, 0, NULL);
    json_t *value;
    const char **texts = arena_alloc(arena, (2 * json_object_size(args) + 5) * sizeof *texts), *name;
    const char *commit = json_str(resolved, "commit"), *tree = json_str(resolved, "tree");
    size_t n = 0;
    texts[n++] = commit ? commit : "";
    texts[n++] = tree ? tree : "";
    if (json_str(source, "dockerfile")) /* it may lie outside the tree */
        texts[n++] = json_str(resolved, "dockerfile") ? json_str(resolved, "dockerfile") : "";
    texts[n++] = base;
    json_object_foreach(args, name, value) {
        texts[n++] = name;
        texts[n++] = json_string_value(value);
    }
    return hash_texts(texts);
}

const char *source_build_key(const struct release *release, const char *image, const json_t *resolved,
                             const char *base, struct arena *arena) {
    return key_of("build", build_hash(source_of(release, image), resolved, base, arena), arena);
}

const char *source_build_params(const struct release *release, const char *image, const json_t *resolved,
                                const char *base, struct arena *arena) {
    const json_t *source = source_of(release, image);
    cleanup_json json_t *params = json_deep_copy(source);
    char hex[HASH_HEX_SIZE];
    hash_hex(build_hash(source, resolved, base, arena), hex);
    (void)json_object_set_new(params, "base", json_string(base));
    (void)json_object_set(params, "commit", json_object_get(resolved, "commit"));
    if (json_object_get(resolved, "tree"))
        (void)json_object_set(params, "tree", json_object_get(resolved, "tree"));
    (void)json_object_set_new(params, "build_key", json_string(hex));
    (void)json_object_set_new(params, "image", json_sprintf("fairlead/%s-%s", release->app, image));
    return text_of(params, arena);
}
