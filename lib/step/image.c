#include "step/image.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "io/archive.h"
#include "io/engine.h"
#include "model/manifest.h"
#include "model/names.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#define ROOM_LEFT (256LL << 20) /* bytes that fetching leaves of a disk */

/* One image that is on its way. */
struct fetch {
    struct step_context *ctx;
    const char *repository, *digest, *folder;
    struct manifest manifest;
    char *text; /* of the manifest, as it came */
    size_t text_n;
    const char **diff_ids; /* of its layers, unpacked */
};

struct registry image_registry(const struct step_machine *machine) {
    const struct node_identity *node = machine->node;
    bool plain = !*node->cert || name_is_loopback(machine->registry);
    return (struct registry){.host = machine->registry,
                             .ca = plain ? NULL : node->root,
                             .cert = plain ? NULL : node->cert,
                             .outward = !plain,
                             .stop = machine->cancel};
}

/* ---- one at a time: two apps may be made of the same image ---- */

static pthread_mutex_t busy_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t busy_cond = PTHREAD_COND_INITIALIZER;
static struct busy {
    const char *digest;
    struct busy *next;
} * busy;

static void take_turn(struct busy *mine) {
    pthread_mutex_lock(&busy_mutex);
    for (const struct busy *b = busy; b;)
        if (str_eq(b->digest, mine->digest)) {
            pthread_cond_wait(&busy_cond, &busy_mutex);
            b = busy;
        } else
            b = b->next;
    mine->next = busy;
    busy = mine;
    pthread_mutex_unlock(&busy_mutex);
}

static void end_turn(struct busy *mine) {
    pthread_mutex_lock(&busy_mutex);
    struct busy **at = &busy;
    while (*at != mine)
        at = &(*at)->next;
    *at = mine->next;
    pthread_cond_broadcast(&busy_cond);
    pthread_mutex_unlock(&busy_mutex);
}

/* ---- what is here already ---- */

static size_t common_layers(const json_t *layers, const struct fetch *fetch) {
    size_t n = 0;
    while (n < fetch->manifest.layers_n &&
           str_eq(json_string_value(json_array_get(layers, n)), fetch->diff_ids[n]))
        n++;
    return n;
}

/* How many of the lowest layers another image of this Engine has too: an archive may leave them out. */
static size_t layers_here(const struct fetch *fetch) {
    const char *socket = fetch->ctx->machine->engine_socket;
    struct err ignored = {0};
    long status = 0;
    size_t most = 0, i;
    json_t *one;
    cleanup_json json_t *images = NULL;
    if (engine_call(socket, "GET", "/images/json", NULL, 20000000, &status, &images, &ignored) < 0)
        return 0;
    json_array_foreach(images, i, one) {
        char path[200];
        cleanup_json json_t *image = NULL;
        (void)snprintf(path, sizeof path, "/images/%.80s/json",
                       json_str(one, "Id") ? json_str(one, "Id") : "");
        if (engine_call(socket, "GET", path, NULL, 20000000, &status, &image, &ignored) < 0)
            return 0;
        size_t n = common_layers(json_object_get(json_object_get(image, "RootFS"), "Layers"), fetch);
        most = n > most ? n : most;
    }
    return most;
}

/* ---- fetching ---- */

static const char *blob_path(const struct fetch *fetch, const struct manifest_blob *blob) {
    return arena_printf(fetch->ctx->arena, "%s/%s", fetch->folder, blob->digest + 7);
}

static int fail(const struct fetch *fetch, struct err *err) {
    return step_fail(fetch->ctx, err, err->cls, err->cls == ERR_PARK ? "image_missing" : "registry_down",
                     "%s", arena_strdup(fetch->ctx->arena, err->text));
}

static int fetch_blob(const struct fetch *fetch, const struct manifest_blob *blob, struct err *err) {
    struct registry registry = image_registry(fetch->ctx->machine);
    if (registry_blob(&registry, fetch->repository, blob->digest, blob->size, blob_path(fetch, blob), err) <
        0)
        return fail(fetch, err);
    return fault_check(FAULT_IMAGE_FETCHED, err);
}

/* Its layers from the `from`-th on. */
static int fetch_layers(const struct fetch *fetch, size_t from, struct err *err) {
    struct statvfs fs;
    int64_t bytes = 0;
    for (size_t i = from; i < fetch->manifest.layers_n; i++)
        bytes +=
            file_exists(blob_path(fetch, &fetch->manifest.layers[i])) ? 0 : fetch->manifest.layers[i].size;
    if (statvfs(fetch->folder, &fs) == 0 && (int64_t)(fs.f_bavail * fs.f_frsize) < bytes + ROOM_LEFT)
        return step_fail(
            fetch->ctx, err, ERR_RETRY, "disk_short",
            "An image has %lld MB that are to be fetched, and the machine's disk is too full for it.",
            (long long)(bytes / 1000000));
    log_info("an image is fetched", LOG_S("repository", fetch->repository), LOG_I("bytes", bytes),
             LOG_I("layers here", (int64_t)from), LOG_I("layers", (int64_t)fetch->manifest.layers_n));
    for (size_t i = from; i < fetch->manifest.layers_n; i++)
        if (fetch_blob(fetch, &fetch->manifest.layers[i], err) < 0)
            return -1;
    return 0;
}

/* ---- loading ---- */

/* "repository:..." by which people and `docker image prune` know that it is somebody's. */
static const char *name_of(struct arena *arena, const char *repository, const char *digest) {
    return arena_printf(arena, "%s:%.12s", repository, digest + 7);
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
        (struct archive_member){.name = blob_name(fetch, blob), .file = blob_path(fetch, blob)};
}

/* The layout of OCI (image specification 1.1) and, in the same archive, the list by which Docker's own store
 * reads it: what `docker save` writes since version 25. */
static struct vec make_archive(const struct fetch *fetch, size_t from) {
    const struct manifest *manifest = &fetch->manifest;
    struct arena *arena = fetch->ctx->arena;
    struct vec members = {0};
    const char *name = name_of(arena, fetch->repository, fetch->digest);
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
    for (size_t i = from; i < manifest->layers_n; i++)
        add_blob(fetch, &members, &manifest->layers[i]);
    return members;
}

static int load(const struct fetch *fetch, size_t from, struct err *err) {
    const struct step_machine *machine = fetch->ctx->machine;
    struct vec members = make_archive(fetch, from);
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
    if (rc == 0 && !engine_has_image(machine->engine_socket, fetch->manifest.config.digest))
        rc = err_set(
            err, ERR_RETRY,
            "the Engine has loaded an image of \"%s\" under another name than that of its configuration",
            fetch->repository);
    return rc;
}

/* ---- the whole ---- */

static int read_manifest(struct fetch *fetch, const char *id, struct err *err) {
    struct registry registry = image_registry(fetch->ctx->machine);
    if (registry_manifest(&registry, fetch->repository, fetch->digest, MANIFEST_TYPES, MANIFEST_BYTES_MAX,
                          &fetch->text, &fetch->text_n, err) < 0 ||
        manifest_parse(fetch->text, fetch->text_n, &fetch->manifest, err) < 0)
        return fail(fetch, err);
    if (str_eq(fetch->manifest.config.digest, id))
        return 0;
    return step_fail(
        fetch->ctx, err, ERR_PARK, "image_other",
        "The registry's image of \"%s\" is not the one that its provenance is about: it was not loaded.",
        fetch->repository);
}

static int read_config(struct fetch *fetch, struct err *err) {
    cleanup_free char *text = NULL;
    size_t n = 0;
    if (fetch_blob(fetch, &fetch->manifest.config, err) < 0)
        return -1;
    if (file_read(blob_path(fetch, &fetch->manifest.config), MANIFEST_CONFIG_MAX, &text, &n, err) < 0 ||
        manifest_parse_config(text, n, &fetch->manifest, fetch->ctx->arena, &fetch->diff_ids, err) < 0)
        return fail(fetch, err);
    return 0;
}

static int fetch_and_load(struct fetch *fetch, const char *id, struct err *err) {
    if (file_mkdirs(fetch->folder, 0700, err) < 0 || read_manifest(fetch, id, err) < 0 ||
        read_config(fetch, err) < 0)
        return -1;
    size_t from = layers_here(fetch);
    if (fetch_layers(fetch, from, err) < 0)
        return -1;
    int rc = load(fetch, from, err);
    if (rc < 0 && from > 0) { /* that it may be given less is no promise of the Engine's */
        log_info("the Engine wants an image as a whole", LOG_S("error", err->text));
        if (fetch_layers(fetch, 0, err) < 0)
            return -1;
        rc = load(fetch, 0, err);
    }
    if (rc < 0)
        return step_fail(fetch->ctx, err, err->cls, "image_not_loaded", "%s",
                         arena_strdup(fetch->ctx->arena, err->text));
    if (fault_check(FAULT_IMAGE_LOADED, err) < 0)
        return -1;
    return file_remove_tree(fetch->folder, err);
}

static bool split(struct step_context *ctx, const char *image, const char **ret_repository,
                  const char **ret_digest, const char **ret_folder) {
    const char *at = name_is_image(image) ? strrchr(image, '@') : NULL;
    if (!at)
        return false;
    *ret_repository = arena_strndup(ctx->arena, image, (size_t)(at - image));
    *ret_digest = arena_strdup(ctx->arena, at + 1);
    *ret_folder = arena_printf(ctx->arena, "%s/images/%s", ctx->machine->state, at + 8);
    return true;
}

int image_ensure(struct step_context *ctx, const char *image, const char *id, struct err *err) {
    struct fetch fetch = {.ctx = ctx};
    if (!split(ctx, image, &fetch.repository, &fetch.digest, &fetch.folder))
        return step_fail(ctx, err, ERR_PARK, "bad_document", "An image is not named by its digest.");
    struct busy mine = {.digest = fetch.digest};
    take_turn(&mine);
    int rc = 0;
    if (!engine_has_image(ctx->machine->engine_socket, id))
        rc = fetch_and_load(&fetch, id, err);
    else if (file_exists(fetch.folder)) /* who died between the two */
        rc = file_remove_tree(fetch.folder, err);
    end_turn(&mine);
    free(fetch.text);
    return rc;
}

void image_forget(struct step_context *ctx, const char *image) {
    const char *repository, *digest, *folder;
    struct err ignored = {0};
    long status;
    if (!split(ctx, image, &repository, &digest, &folder))
        return;
    struct busy mine = {.digest = digest};
    take_turn(&mine);
    (void)file_remove_tree(folder, NULL);
    end_turn(&mine);
    const char *path = arena_printf(ctx->arena, "/images/%s", name_of(ctx->arena, repository, digest));
    (void)!engine_call(ctx->machine->engine_socket, "DELETE", path, NULL, 60000000, &status, NULL, &ignored);
}
