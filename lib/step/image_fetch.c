/* Fetching an image: what the Engine has of it already is left out, what comes is checked, and what was cut
 * short goes on where it ended. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "io/engine.h"
#include "model/tables.h"
#include "step/image_import.h"
#include "step/image_own.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define ROOM_LEFT (256LL << 20) /* bytes that fetching leaves of a disk */
#define ROOM_UNPACKED 3         /* times the packed bytes that an Engine needs to load them */

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

const char *image_blob_path(const struct fetch *fetch, const struct manifest_blob *blob) {
    return arena_printf(fetch->ctx->arena, "%s/%s", fetch->folder, blob->digest + 7);
}

static int fail(const struct fetch *fetch, struct err *err) {
    const char *away = fetch->ctx->machine->node->by_file ? "image_to_bring" : "registry_down";
    return step_fail(fetch->ctx, err, err->cls, err->cls == ERR_PARK ? "image_missing" : away, "%s",
                     arena_strdup(fetch->ctx->arena, err->text));
}

/* Of a blob, what is here. */
static int64_t bytes_here(const struct fetch *fetch, const struct manifest_blob *blob) {
    struct stat st;
    const char *path = image_blob_path(fetch, blob);
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

/* What came by file is used where it lies: the file system keeps it as long as it has a name. */
static bool take_imported(const struct fetch *fetch, const struct manifest_blob *blob) {
    char path[600];
    return image_imported(fetch->ctx->machine->state, blob->digest, blob->size, path) &&
           link(path, image_blob_path(fetch, blob)) == 0;
}

/* A machine without a link asks nobody. */
static bool must_be_brought(const struct fetch *fetch, struct err *err) {
    if (fetch->ctx->machine->node->by_file)
        (void)err_set(
            err, ERR_RETRY,
            "An image is not here yet, or not all of it: it comes by file (fairlead-agent import).");
    return fetch->ctx->machine->node->by_file;
}

static int fetch_blob(const struct fetch *fetch, const struct manifest_blob *blob, struct err *err) {
    struct registry registry = registry_of(fetch);
    bool is_here = file_exists(image_blob_path(fetch, blob)) || take_imported(fetch, blob);
    if (!is_here && must_be_brought(fetch, err))
        return fail(fetch, err);
    if (!is_here && registry_blob(&registry, fetch->repository, blob->digest, blob->size,
                                  image_blob_path(fetch, blob), err) < 0)
        return fail(fetch, err);
    return fault_check(FAULT_IMAGE_FETCHED, err);
}

static void drop_imported(const struct fetch *fetch) {
    const char *state = fetch->ctx->machine->state;
    image_import_drop(state, fetch->digest);
    image_import_drop(state, fetch->manifest.config.digest);
    for (size_t i = 0; i < fetch->manifest.layers_n; i++)
        image_import_drop(state, fetch->manifest.layers[i].digest);
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

/* ---- the whole ---- */

/* One that came by file, else the registry's. */
static int find_manifest(struct fetch *fetch, struct err *err) {
    char path[600];
    struct registry registry = registry_of(fetch);
    if (image_imported(fetch->ctx->machine->state, fetch->digest, -1, path))
        return file_read(path, MANIFEST_BYTES_MAX, &fetch->text, &fetch->text_n, err);
    if (must_be_brought(fetch, err))
        return -1;
    return registry_manifest(&registry, fetch->repository, fetch->digest, MANIFEST_TYPES, MANIFEST_BYTES_MAX,
                             &fetch->text, &fetch->text_n, err);
}

int image_read_manifest(struct fetch *fetch, const char *id, struct err *err) {
    if (find_manifest(fetch, err) < 0 ||
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
    if (file_read(image_blob_path(fetch, &fetch->manifest.config), MANIFEST_CONFIG_MAX, &text, &n, err) < 0 ||
        manifest_parse_config(text, n, &fetch->manifest, fetch->ctx->arena, &fetch->diff_ids, err) < 0)
        return fail(fetch, err);
    return 0;
}

int image_fetch(struct fetch *fetch, struct err *err) {
    if (read_config(fetch, err) < 0)
        return -1;
    fetch->from = layers_here(fetch);
    if (fetch_layers(fetch, err) < 0)
        return -1;
    int rc = image_load(fetch, err);
    if (rc < 0 && fetch->from > 0 && str_eq(err->code, ENGINE_REFUSED)) {
        log_info("the Engine wants an image as a whole", LOG_S("error", err->text));
        fetch->from = 0; /* that it may be given less is no promise of the Engine's */
        if (fetch_layers(fetch, err) < 0)
            return -1;
        rc = image_load(fetch, err);
    }
    if (rc < 0)
        return step_fail(fetch->ctx, err, err->cls, "image_not_loaded", "%s",
                         arena_strdup(fetch->ctx->arena, err->text));
    if (!fetch->ctx->machine->node
             ->by_file) /* another image may have the same pieces, and nobody can be asked */
        drop_imported(fetch);
    return fault_check(FAULT_IMAGE_LOADED, err);
}
