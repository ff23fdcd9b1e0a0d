#include "model/manifest.h"

#include "base/json.h"
#include "base/str.h"
#include "model/names.h"

#include <stdio.h>
#include <string.h>

static const char *const media_types[] = {"application/vnd.docker.distribution.manifest.v2+json",
                                          "application/vnd.oci.image.manifest.v1+json"};
/* What an Engine unpacks by itself. */
static const char *const layer_types[] = {
    "application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.oci.image.layer.v1.tar+zstd"};

static const char *one_of(const char *const *list, size_t n, const char *s) {
    for (size_t i = 0; i < n; i++)
        if (str_eq(list[i], s))
            return list[i];
    return NULL;
}

static bool read_blob(const json_t *from, int64_t most, struct manifest_blob *ret) {
    const char *digest = json_str(from, "digest");
    ret->size = json_int(from, "size", -1);
    if (!name_is_digest(digest) || ret->size < 1 || ret->size > most)
        return false;
    (void)snprintf(ret->digest, sizeof ret->digest, "%s", digest);
    return true;
}

int manifest_parse(const char *text, size_t n, struct manifest *ret, struct err *err) {
    cleanup_json json_t *root = n > MANIFEST_BYTES_MAX ? NULL : json_parse(text, n, err);
    const json_t *layers = json_object_get(root, "layers"), *layer;
    size_t i;
    *ret = (struct manifest){
        .media = one_of(media_types, sizeof media_types / sizeof *media_types, json_str(root, "mediaType"))};
    if (!ret->media || json_int(root, "schemaVersion", 0) != 2)
        return err_set(err, ERR_PARK, "it is no manifest of one image");
    ret->layers_n = json_array_size(layers);
    if (ret->layers_n < 1 || ret->layers_n > MANIFEST_LAYERS_MAX)
        return err_set(err, ERR_PARK, "its manifest has %zu layers, not 1 to %d", ret->layers_n,
                       MANIFEST_LAYERS_MAX);
    if (!read_blob(json_object_get(root, "config"), MANIFEST_CONFIG_MAX, &ret->config))
        return err_set(err, ERR_PARK, "its manifest names no configuration");
    ret->bytes = ret->config.size;
    json_array_foreach(layers, i, layer) {
        if (!one_of(layer_types, sizeof layer_types / sizeof *layer_types, json_str(layer, "mediaType")) ||
            !read_blob(layer, MANIFEST_IMAGE_MAX, &ret->layers[i]))
            return err_set(err, ERR_PARK, "layer %zu of its manifest is none that can be had", i + 1);
        ret->bytes += ret->layers[i].size;
    }
    if (ret->bytes > MANIFEST_IMAGE_MAX)
        return err_set(err, ERR_PARK, "it has %lld bytes, which is more than %lld", (long long)ret->bytes,
                       MANIFEST_IMAGE_MAX);
    return 0;
}

int manifest_parse_config(const char *text, size_t n, const struct manifest *manifest, struct arena *arena,
                          const char ***ret, struct err *err) {
    cleanup_json json_t *root = n > MANIFEST_CONFIG_MAX ? NULL : json_parse(text, n, err);
    const json_t *ids = json_object_get(json_object_get(root, "rootfs"), "diff_ids"), *id;
    size_t i;
    if (json_array_size(ids) != manifest->layers_n)
        return err_set(err, ERR_PARK, "its configuration does not have the layers of its manifest");
    const char **out = arena_alloc(arena, manifest->layers_n * sizeof *out);
    json_array_foreach(ids, i, id) {
        if (!name_is_digest(json_string_value(id)))
            return err_set(err, ERR_PARK, "its configuration names a layer without a digest");
        out[i] = arena_strdup(arena, json_string_value(id));
    }
    *ret = out;
    return 0;
}
