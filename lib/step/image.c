/* An image on this machine: whether it is here, whose turn it is to fetch it, and what is known of it. */
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "io/engine.h"
#include "model/names.h"
#include "model/provenance.h"
#include "model/tables.h"
#include "step/image_import.h"
#include "step/image_own.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLICE_US (60 * CLOCK_S)     /* of fetching, before other work has its turn */
#define FETCHED_S (7 * 24 * 3600)   /* that something is kept of an image for which nobody came back */
#define IMPORTED_S (30 * 24 * 3600) /* ... and what came by file */
#define TURN_US (10 * CLOCK_S)      /* that one who wants the same image waits */

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
    if (!file_exists(path) || file_read(path, DIGEST_SIZE, &text, NULL, NULL) < 0)
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

/* What cannot be removed costs room and nothing else. */
static void clear_folder(const struct fetch *fetch) {
    struct err err = {0};
    if (file_exists(fetch->folder) && file_remove_tree(fetch->folder, &err) < 0)
        log_warn("what was fetched of an image stays", LOG_S("error", err.text));
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
    if (image_read_manifest(fetch, id, err) < 0 || (!here && image_fetch(fetch, err) < 0))
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
    const char *path = arena_printf(ctx->arena, "/images/%s", image_tag(ctx->arena, repository, digest));
    (void)!engine_call(ctx->machine->engine_socket, "DELETE", path, NULL, 60000000, &status, NULL, &ignored);
}

static void sweep(const char *state, const char *name, int64_t age_s) {
    char folder[500];
    struct err err = {0};
    (void)snprintf(folder, sizeof folder, "%s/%s", state, name);
    if (file_sweep(folder, age_s, &err) < 0)
        log_warn("what is here of images stays", LOG_S("error", err.text));
}

void image_sweep(const char *state) {
    sweep(state, "images", FETCHED_S);
    sweep(state, IMAGE_IMPORTED, IMPORTED_S);
}
