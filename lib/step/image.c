#include "step/image.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "io/archive.h"
#include "io/engine.h"
#include "model/manifest.h"
#include "model/names.h"
#include "model/provenance.h"
#include "model/tables.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define ROOM_LEFT (256LL << 20) /* bytes that fetching leaves of a disk */
#define ROOM_UNPACKED 3         /* times the packed bytes that an Engine needs to load them */
#define SLICE_US (60 * CLOCK_S) /* of fetching, before other work has its turn */
#define TURN_US (10 * CLOCK_S)  /* that one who wants the same image waits */

/* One image that is on its way. */
struct fetch {
    struct step_context *ctx;
    const char *repository, *digest, *folder;
    struct manifest manifest;
    char *text; /* of the manifest, as it came */
    size_t text_n;
    const char **diff_ids; /* of its layers, unpacked */
    size_t from;           /* lowest layer that is not here */
    int64_t until;         /* of this slice */
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

/* ---- what is known of an image: which id its digest was found to have ---- */

static const char *bound_path(const struct step_context *ctx, const char *digest) {
    return arena_printf(ctx->arena, "%s/image-ids/%s", ctx->machine->state, digest + 7);
}

static const char *bound_id(const struct step_context *ctx, const char *digest) {
    cleanup_free char *text = NULL;
    const char *path = bound_path(ctx, digest);
    if (!file_exists(path) || file_read(path, IMAGE_ID_SIZE, &text, NULL, NULL) < 0)
        return NULL;
    return arena_strdup(ctx->arena, text);
}

static int bind_id(const struct step_context *ctx, const char *digest, const char *id, struct err *err) {
    if (file_mkdirs(arena_printf(ctx->arena, "%s/image-ids", ctx->machine->state), 0700, err) < 0)
        return -1;
    return file_write(bound_path(ctx, digest), id, strlen(id), 0600, err);
}

/* ---- one at a time: two apps may be made of the same image ---- */

static pthread_mutex_t busy_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t busy_cond = PTHREAD_COND_INITIALIZER;
static struct busy {
    const char *digest;
    struct busy *next;
} * busy;

static bool is_busy(const char *digest) {
    for (const struct busy *b = busy; b; b = b->next)
        if (str_eq(b->digest, digest))
            return true;
    return false;
}

/* False: somebody else is at it, and was for so long. */
static bool take_turn(struct busy *mine, int64_t wait_us) {
    struct timespec until = clock_mono_timespec(clock_mono_us() + wait_us);
    pthread_mutex_lock(&busy_mutex);
    while (is_busy(mine->digest) &&
           pthread_cond_clockwait(&busy_cond, &busy_mutex, CLOCK_MONOTONIC, &until) == 0) {
    }
    bool taken = !is_busy(mine->digest);
    if (taken) {
        mine->next = busy;
        busy = mine;
    }
    pthread_mutex_unlock(&busy_mutex);
    return taken;
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

/* Of a blob, what is here. */
static int64_t bytes_here(const struct fetch *fetch, const struct manifest_blob *blob) {
    struct stat st;
    const char *path = blob_path(fetch, blob);
    if (file_exists(path))
        return blob->size;
    return stat(arena_printf(fetch->ctx->arena, "%s.part", path), &st) == 0 && st.st_size < blob->size
               ? st.st_size
               : 0;
}

/* Of what is to be fetched: all of it, and what of it is here. */
static void count_bytes(const struct fetch *fetch, int64_t *ret_here, int64_t *ret_all) {
    *ret_here = *ret_all = 0;
    for (size_t i = fetch->from; i < fetch->manifest.layers_n; i++) {
        *ret_all += fetch->manifest.layers[i].size;
        *ret_here += bytes_here(fetch, &fetch->manifest.layers[i]);
    }
}

static struct registry registry_of(const struct fetch *fetch) {
    struct registry registry = image_registry(fetch->ctx->machine);
    registry.until = fetch->until;
    return registry;
}

static int fetch_blob(const struct fetch *fetch, const struct manifest_blob *blob, struct err *err) {
    struct registry registry = registry_of(fetch);
    if (registry_blob(&registry, fetch->repository, blob->digest, blob->size, blob_path(fetch, blob), err) <
        0)
        return fail(fetch, err);
    return fault_check(FAULT_IMAGE_FETCHED, err);
}

static bool has_room(const char *folder, int64_t bytes) {
    struct statvfs fs;
    return statvfs(folder, &fs) != 0 || (int64_t)(fs.f_bavail * fs.f_frsize) >= bytes + ROOM_LEFT;
}

/* Both for what is fetched, and for what the Engine makes of it. */
static int check_room(const struct fetch *fetch, int64_t lacking, int64_t all, struct err *err) {
    char root[512];
    engine_root(fetch->ctx->machine->engine_socket, root, sizeof root);
    if (has_room(fetch->folder, lacking) && (!*root || has_room(root, ROOM_UNPACKED * all)))
        return 0;
    return step_fail(
        fetch->ctx, err, ERR_RETRY, "disk_short",
        "An image has %lld MB that are to be fetched and unpacked, and the machine's disk is too full "
        "for it.",
        (long long)(all / 1000000));
}

/* Its layers from the lowest on that is not here. What comes nearer within its time has not failed. */
static int fetch_layers(const struct fetch *fetch, struct err *err) {
    int64_t before, all, here;
    count_bytes(fetch, &before, &all);
    if (check_room(fetch, all - before, all, err) < 0)
        return -1;
    log_info("an image is fetched", LOG_S("repository", fetch->repository), LOG_I("bytes", all - before),
             LOG_I("layers here", (int64_t)fetch->from), LOG_I("layers", (int64_t)fetch->manifest.layers_n));
    for (size_t i = fetch->from; i < fetch->manifest.layers_n; i++) {
        if (fetch_blob(fetch, &fetch->manifest.layers[i], err) == 0)
            continue;
        count_bytes(fetch, &here, &all);
        if (err->cls != ERR_RETRY || here <= before || *fetch->ctx->machine->cancel)
            return -1;
        return step_fail(fetch->ctx, err, ERR_RETRY, PROBLEM_FETCHING,
                         "Of an image %lld of %lld MB are here.", (long long)(here / 1000000),
                         (long long)(all / 1000000));
    }
    return 0;
}

/* ---- loading ---- */

/* "repository:..." by which people and `docker image prune` know that it is somebody's. */
static const char *name_of(struct arena *arena, const char *repository, const char *digest) {
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
        (struct archive_member){.name = blob_name(fetch, blob), .file = blob_path(fetch, blob)};
}

/* The layout of OCI (image specification 1.1) and, in the same archive, the list by which Docker's own store
 * reads it: what `docker save` writes since version 25. */
static struct vec make_archive(const struct fetch *fetch) {
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
    for (size_t i = fetch->from; i < manifest->layers_n; i++)
        add_blob(fetch, &members, &manifest->layers[i]);
    return members;
}

static int load(const struct fetch *fetch, struct err *err) {
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

/* ---- the whole ---- */

static int read_manifest(struct fetch *fetch, const char *id, struct err *err) {
    struct registry registry = registry_of(fetch);
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

/* What cannot be removed costs room and nothing else. */
static void clear_folder(const struct fetch *fetch) {
    struct err err = {0};
    if (file_exists(fetch->folder) && file_remove_tree(fetch->folder, &err) < 0)
        log_warn("what was fetched of an image stays", LOG_S("error", err.text));
}

static int fetch_and_load(struct fetch *fetch, struct err *err) {
    if (read_config(fetch, err) < 0)
        return -1;
    fetch->from = layers_here(fetch);
    if (fetch_layers(fetch, err) < 0)
        return -1;
    int rc = load(fetch, err);
    if (rc < 0 && fetch->from > 0 && str_eq(err->code, ENGINE_REFUSED)) {
        log_info("the Engine wants an image as a whole", LOG_S("error", err->text));
        fetch->from = 0; /* that it may be given less is no promise of the Engine's */
        if (fetch_layers(fetch, err) < 0)
            return -1;
        rc = load(fetch, err);
    }
    if (rc < 0)
        return step_fail(fetch->ctx, err, err->cls, "image_not_loaded", "%s",
                         arena_strdup(fetch->ctx->arena, err->text));
    return fault_check(FAULT_IMAGE_LOADED, err);
}

/* That the Engine has an image of that id says nothing of the digest: the first time the registry's manifest
 * is asked which id it is of, whoever signed the provenance. */
static int find_or_fetch(struct fetch *fetch, const char *id, struct err *err) {
    struct step_context *ctx = fetch->ctx;
    const char *socket = ctx->machine->engine_socket, *bound = bound_id(ctx, fetch->digest);
    bool here;
    if (engine_find_image(socket, id, &here, err) < 0)
        return step_fail(ctx, err, ERR_RETRY, "engine_down", "%s", arena_strdup(ctx->arena, err->text));
    if (here && str_eq(bound, id))
        return 0;
    if (engine_names_by_manifest(socket))
        return step_fail(ctx, err, ERR_PARK, "engine_store",
                         "The Engine keeps images in containerd's store, which is not known here yet.");
    if (file_mkdirs(fetch->folder, 0700, err) < 0)
        return step_fail(ctx, err, err->cls, "state_folder", "%s", arena_strdup(ctx->arena, err->text));
    if (read_manifest(fetch, id, err) < 0 || (!here && fetch_and_load(fetch, err) < 0))
        return -1;
    if (bind_id(ctx, fetch->digest, id, err) < 0)
        return step_fail(ctx, err, err->cls, "state_folder", "%s", arena_strdup(ctx->arena, err->text));
    return 0;
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
    struct fetch fetch = {.ctx = ctx, .until = clock_mono_us() + SLICE_US};
    if (!split(ctx, image, &fetch.repository, &fetch.digest, &fetch.folder))
        return step_fail(ctx, err, ERR_PARK, "bad_document", "An image is not named by its digest.");
    struct busy mine = {.digest = fetch.digest};
    if (!take_turn(&mine, TURN_US))
        return step_fail(ctx, err, ERR_RETRY, PROBLEM_FETCHING, "An image is being fetched for another app.");
    int rc = find_or_fetch(&fetch, id, err);
    if (rc == 0)
        clear_folder(&fetch);
    end_turn(&mine);
    free(fetch.text);
    return rc;
}

const char *image_bound(struct step_context *ctx, const char *image) {
    const char *repository, *digest, *folder;
    return split(ctx, image, &repository, &digest, &folder) ? bound_id(ctx, digest) : NULL;
}

/* One that is being fetched for another app is left alone. */
void image_drop(struct step_context *ctx, const char *image) {
    struct fetch fetch = {.ctx = ctx};
    if (!split(ctx, image, &fetch.repository, &fetch.digest, &fetch.folder))
        return;
    struct busy mine = {.digest = fetch.digest};
    if (!take_turn(&mine, 0))
        return;
    clear_folder(&fetch);
    end_turn(&mine);
}

void image_forget(struct step_context *ctx, const char *image) {
    const char *repository, *digest, *folder;
    struct err ignored = {0};
    long status;
    image_drop(ctx, image);
    if (!split(ctx, image, &repository, &digest, &folder))
        return;
    const char *path = arena_printf(ctx->arena, "/images/%s", name_of(ctx->arena, repository, digest));
    (void)!engine_call(ctx->machine->engine_socket, "DELETE", path, NULL, 60000000, &status, NULL, &ignored);
}
