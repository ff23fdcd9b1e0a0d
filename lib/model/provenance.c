#include "model/provenance.h"

#include "base/json.h"
#include "base/str.h"
#include "model/names.h"

#include <stdio.h>
#include <string.h>

#define SHA256_HEX 64

static bool is_hex(const char *s, size_t n) {
    return s && strlen(s) == n && strspn(s, "0123456789abcdef") == n;
}

/* The digits of "sha256:..."; NULL: it is none. */
static const char *sha256_of(const char *digest) {
    return name_is_digest(digest) ? digest + 7 : NULL;
}

static json_t *artifact(const char *key, const char *name, const char *algorithm, const char *digest) {
    return json_pack("{s:s, s:{s:s}}", key, name, "digest", algorithm, digest);
}

/* ---- making ---- */

static json_t *dependencies(const json_t *order) {
    const char *source = json_str(order, "repository"), *base = json_str(order, "base"),
               *commit = json_str(order, "commit"), *tree = json_str(order, "tree");
    const char *base_at = base ? strrchr(base, '@') : NULL,
               *base_hex = base_at ? sha256_of(base_at + 1) : NULL;
    json_t *list = json_array();
    json_t *git = artifact("uri", source ? source : "", "gitCommit", commit);
    if (tree)
        (void)json_object_set_new(json_object_get(git, "digest"), "gitTree", json_string(tree));
    (void)json_array_append_new(list, git);
    if (base_hex) {
        json_t *uri = json_stringn(base, (size_t)(base_at - base));
        json_t *from = artifact("uri", "", "sha256", base_hex);
        (void)json_object_set_new(from, "uri", uri);
        (void)json_array_append_new(list, from);
    }
    return list;
}

static json_t *parameters(const json_t *order) {
    static const char *const names[] = {"repository", "ref", "path", "dockerfile", "args"};
    json_t *out = json_object();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (json_object_get(order, names[i]))
            (void)json_object_set(out, names[i], json_object_get(order, names[i]));
    return out;
}

const char *provenance_make(const json_t *order, const json_t *facts, struct uuid builder,
                            struct arena *arena) {
    char node[UUID_HEX_SIZE];
    const char *image = json_str(facts, "image"), *id = sha256_of(json_str(facts, "image_id"));
    const char *at = image && name_is_image(image) ? strrchr(image, '@') : NULL;
    const char *digest = at ? sha256_of(at + 1) : NULL, *ordered = json_str(order, "image");
    bool is_ordered = at && ordered && strlen(ordered) == (size_t)(at - image) && str_starts(image, ordered);
    if (!digest || !id || !is_ordered || !is_hex(json_str(order, "commit"), 40))
        return NULL;
    const char *repository = arena_strndup(arena, image, (size_t)(at - image));
    cleanup_json json_t *statement =
        json_pack("{s:s, s:s, s:[o, o], s:{s:{s:s, s:o, s:o}, s:{s:{s:s}, s:{s:s?}}}}", "_type",
                  PROVENANCE_STATEMENT, "predicateType", PROVENANCE_PREDICATE, "subject",
                  artifact("name", repository, "sha256", digest), artifact("name", "image-id", "sha256", id),
                  "predicate", "buildDefinition", "buildType", PROVENANCE_BUILD, "externalParameters",
                  parameters(order), "resolvedDependencies", dependencies(order), "runDetails", "builder",
                  "id", arena_printf(arena, "urn:fairlead:node:%s", uuid_hex(builder, node)), "metadata",
                  "invocationId", json_str(order, "build_key"));
    cleanup_free char *text = statement ? json_text(statement) : NULL;
    return text ? arena_strdup(arena, text) : NULL;
}

/* ---- reading ---- */

/* The SHA-256 of the only thing of that name in a list. */
static const char *sha256_named(const json_t *list, const char *key, const char *name) {
    const json_t *one;
    const char *found = NULL;
    size_t i;
    json_array_foreach(list, i, one) {
        const char *hex = json_str(json_object_get(one, "digest"), "sha256");
        if (!str_eq(json_str(one, key), name))
            continue;
        if (found || !is_hex(hex, SHA256_HEX))
            return NULL;
        found = hex;
    }
    return found;
}

static int read_source(const json_t *predicate, struct arena *arena, struct provenance *ret,
                       struct err *err) {
    const json_t *build = json_object_get(predicate, "buildDefinition"), *one;
    size_t i;
    json_array_foreach(json_object_get(build, "resolvedDependencies"), i, one) {
        const char *commit = json_str(json_object_get(one, "digest"), "gitCommit"),
                   *uri = json_str(one, "uri");
        if (!commit)
            continue;
        if (ret->source || !uri || !(is_hex(commit, 40) || is_hex(commit, 64)))
            break;
        if (strstr(uri, "/..")) /* its beginning would say nothing */
            break;
        ret->source = arena_strdup(arena, uri);
        (void)snprintf(ret->commit, sizeof ret->commit, "%s", commit);
    }
    if (ret->source && i == json_array_size(json_object_get(build, "resolvedDependencies")))
        return 0;
    return err_set(err, ERR_PARK,
                   "the provenance of an image does not say which one commit it was built from");
}

int provenance_read(const char *statement, const char *image, struct arena *arena, struct provenance *ret,
                    struct err *err) {
    const char *at = name_is_image(image) ? strrchr(image, '@') : NULL;
    *ret = (struct provenance){0};
    if (!at)
        return err_set(err, ERR_PARK, "\"%.200s\" is no image by digest", image);
    cleanup_json json_t *root =
        strlen(statement) > PROVENANCE_BYTES_MAX ? NULL : json_parse(statement, strlen(statement), err);
    const json_t *predicate = json_object_get(root, "predicate"), *subject = json_object_get(root, "subject");
    if (!str_eq(json_str(root, "_type"), PROVENANCE_STATEMENT) ||
        !str_eq(json_str(root, "predicateType"), PROVENANCE_PREDICATE) ||
        !str_eq(json_str(json_object_get(predicate, "buildDefinition"), "buildType"), PROVENANCE_BUILD))
        return err_set(err, ERR_PARK, "the provenance of \"%.100s\" is no statement about a build of ours",
                       image);
    const char *digest = sha256_named(subject, "name", arena_strndup(arena, image, (size_t)(at - image))),
               *id = sha256_named(subject, "name", "image-id");
    if (!digest || !id || !str_eq(digest, sha256_of(at + 1)))
        return err_set(err, ERR_PARK, "the provenance of \"%.100s\" is about another image", image);
    (void)snprintf(ret->image_id, sizeof ret->image_id, "sha256:%s", id);
    return read_source(predicate, arena, ret, err);
}

int provenance_of(const Fairlead__V1__Stack *stack, size_t i, struct arena *arena, bool *ret_known,
                  struct provenance *ret, struct err *err) {
    const char *name = stack->images[i]->key, *statement = NULL;
    for (size_t k = 0; k < stack->n_provenance; k++) {
        if (!str_eq(stack->provenance[k]->key, name))
            continue;
        if (statement)
            return err_set(err, ERR_PARK, "there are two statements about image \"%.60s\"", name);
        statement = stack->provenance[k]->value;
    }
    *ret_known = statement != NULL;
    return statement ? provenance_read(statement, stack->images[i]->value, arena, ret, err) : 0;
}
