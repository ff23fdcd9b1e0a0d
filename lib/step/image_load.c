/* Loading an image: an archive of what was fetched, written as the Engine reads it. */
#include "base/json.h"
#include "base/str.h"
#include "io/archive.h"
#include "io/engine.h"
#include "step/image_own.h"

#include <string.h>

const char *image_tag(struct arena *arena, const char *repository, const char *digest) {
    return arena_printf(arena, "%s:%s", repository, digest + 7);
}

static const char *text_of(const struct fetch *fetch, json_t *json) {
    cleanup_json json_t *owned = json;
    cleanup_free char *text = json_text(owned);
    return arena_strdup(fetch->ctx->arena, text);
}

static void add_text(const struct fetch *fetch, struct vec *members, const char *name, const char *text) {
    *vec_add(fetch->ctx->arena, members, struct archive_member) =
        (struct archive_member){.name = name, .p = text, .n = strlen(text)};
}

static const char *blob_name(const struct fetch *fetch, const struct manifest_blob *blob) {
    return arena_printf(fetch->ctx->arena, "blobs/sha256/%s", blob->digest + 7);
}

static void add_blob(const struct fetch *fetch, struct vec *members, const struct manifest_blob *blob) {
    *vec_add(fetch->ctx->arena, members, struct archive_member) =
        (struct archive_member){.name = blob_name(fetch, blob), .file = image_blob_path(fetch, blob)};
}

/* The layout of OCI (image specification 1.1) and, in the same archive, the list by which Docker's own store
 * reads it: what `docker save` writes since version 25. */
static struct vec make_archive(const struct fetch *fetch) {
    const struct manifest *manifest = &fetch->manifest;
    struct arena *arena = fetch->ctx->arena;
    struct vec members = {0};
    const char *name = image_tag(arena, fetch->repository, fetch->digest);
    json_t *layers = json_array();
    for (size_t i = 0; i < manifest->layers_n; i++)
        (void)json_array_append_new(layers, json_string(blob_name(fetch, &manifest->layers[i])));
    add_text(fetch, &members, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
    add_text(fetch, &members, "index.json",
             text_of(fetch,
                     json_pack("{s:i, s:[{s:s, s:s, s:I, s:{s:s}}]}", "schemaVersion", 2, "manifests",
                               "mediaType", manifest->media, "digest", fetch->digest, "size",
                               (json_int_t)fetch->text_n, "annotations", "io.containerd.image.name", name)));
    add_text(fetch, &members, "manifest.json",
             text_of(fetch, json_pack("[{s:s, s:[s], s:o}]", "Config", blob_name(fetch, &manifest->config),
                                      "RepoTags", name, "Layers", layers)));
    *vec_add(arena, &members, struct archive_member) =
        (struct archive_member){.name = arena_printf(arena, "blobs/sha256/%s", fetch->digest + 7),
                                .p = fetch->text,
                                .n = fetch->text_n};
    add_blob(fetch, &members, &manifest->config);
    for (size_t i = fetch->from; i < manifest->layers_n; i++)
        add_blob(fetch, &members, &manifest->layers[i]);
    return members;
}

int image_load(const struct fetch *fetch, struct err *err) {
    const struct step_machine *machine = fetch->ctx->machine;
    struct vec members = make_archive(fetch);
    struct archive_stream *stream;
    struct err reading = {0};
    int fd;
    if (archive_open(members.items, members.n, &stream, &fd, err) < 0)
        return -1;
    int rc = engine_load(machine->engine_socket, fd, machine->cancel, err);
    if (archive_close(stream, &reading) < 0 && rc == 0) {
        *err = reading;
        rc = -1;
    }
    bool here = false;
    if (rc == 0)
        rc = engine_find_image(machine->engine_socket, fetch->manifest.config.digest, &here, err);
    if (rc == 0 && !here)
        rc = err_set(
            err, ERR_RETRY,
            "the Engine has loaded an image of \"%s\" under another name than that of its configuration",
            fetch->repository);
    return rc;
}
