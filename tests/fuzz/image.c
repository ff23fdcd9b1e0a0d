/* What a registry and a document say of an image: a manifest, a configuration, a statement. What is taken has
 * its digests, and no more blobs or bytes than an image may have. */
#include "base/str.h"
#include "model/manifest.h"
#include "model/provenance.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define IMAGE "a/b@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static bool is_digest(const char *s) {
    return str_starts(s, "sha256:") && strlen(s) == 71 && strspn(s + 7, "0123456789abcdef") == 64;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena = {0};
    struct err err = {0};
    struct manifest manifest;
    struct provenance provenance;
    const struct manifest one = {.layers_n = 1};
    const char **ids;
    const char *text = arena_strndup(&arena, (const char *)data, size);
    if (manifest_parse((const char *)data, size, &manifest, &err) == 0) {
        MUST(manifest.layers_n >= 1 && manifest.layers_n <= MANIFEST_LAYERS_MAX);
        MUST(manifest.bytes > 0 && manifest.bytes <= MANIFEST_IMAGE_MAX && is_digest(manifest.config.digest));
        for (size_t i = 0; i < manifest.layers_n; i++)
            MUST(is_digest(manifest.layers[i].digest) && manifest.layers[i].size > 0);
    } else
        MUST(err.cls == ERR_PARK);
    if (manifest_parse_config((const char *)data, size, &one, &arena, &ids, &err) == 0)
        MUST(is_digest(ids[0]));
    if (provenance_read(text, IMAGE, &arena, &provenance, &err) == 0)
        MUST(is_digest(provenance.image_id) && provenance.source && strlen(provenance.commit) >= 40);
    else
        MUST(err.cls == ERR_PARK);
    arena_release(&arena);
    return 0;
}
