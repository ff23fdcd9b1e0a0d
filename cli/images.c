/* instance images: what an instance is made of, in one file that a node can be brought: an OCI image layout
 * (1.1) as tar, which other tools read, too. What was cut short goes on where it ended, in a folder beside
 * the file. */
#include "base/file.h"
#include "base/str.h"
#include "cli/cli.h"
#include "io/archive.h"
#include "io/registry.h"
#include "model/bundle_format.h"
#include "model/manifest.h"
#include "model/names.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct gathering {
    struct arena *arena;
    struct registry registry;
    const char *folder; /* of the blobs */
    struct vec members; /* struct archive_member */
    json_t *index;      /* manifests of the layout */
    int64_t bytes;
};

static void add(struct gathering *all, const char *digest, const char *file, const void *p, size_t n) {
    const char *name = arena_printf(all->arena, "blobs/sha256/%s", digest + 7);
    for (size_t i = 0; i < all->members.n; i++)
        if (str_eq(vec_at(&all->members, struct archive_member, i)->name, name))
            return; /* a layer that two images share */
    *vec_add(all->arena, &all->members, struct archive_member) =
        (struct archive_member){.name = name, .file = file, .p = p, .n = n};
}

static int gather_blob(struct gathering *all, const char *repository, const struct manifest_blob *blob,
                       struct err *err) {
    const char *path = arena_printf(all->arena, "%s/%s", all->folder, blob->digest + 7);
    if (registry_blob(&all->registry, repository, blob->digest, blob->size, path, err) < 0)
        return -1;
    all->bytes += blob->size;
    add(all, blob->digest, path, NULL, 0);
    return 0;
}

static int gather_image(struct gathering *all, const char *image, struct err *err) {
    const char *at = name_is_image(image) ? strrchr(image, '@') : NULL, *digest = at ? at + 1 : NULL;
    char *text = NULL;
    size_t n;
    struct manifest manifest;
    if (!at)
        return err_set(err, ERR_PARK, "\"%s\" is no image by digest", image);
    const char *repository = arena_strndup(all->arena, image, (size_t)(at - image));
    if (registry_manifest(&all->registry, repository, digest, MANIFEST_TYPES, MANIFEST_BYTES_MAX, &text, &n,
                          err) < 0)
        return -1;
    const char *kept = arena_memdup(all->arena, text, n);
    free(text);
    if (manifest_parse(kept, n, &manifest, err) < 0 ||
        gather_blob(all, repository, &manifest.config, err) < 0)
        return -1;
    for (size_t i = 0; i < manifest.layers_n; i++)
        if (gather_blob(all, repository, &manifest.layers[i], err) < 0)
            return -1;
    add(all, digest, NULL, kept, n);
    (void)json_array_append_new(all->index, json_pack("{s:s, s:s, s:I, s:{s:s}}", "mediaType", manifest.media,
                                                      "digest", digest, "size", (json_int_t)n, "annotations",
                                                      "org.opencontainers.image.ref.name", image));
    return 0;
}

static int copy(int from, const char *path, struct err *err) {
    char piece[65536];
    cleanup_close int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (to < 0)
        return err_errno(err, ERR_PARK, "%s", path);
    for (ssize_t n; (n = read(from, piece, sizeof piece)) != 0;)
        if ((n < 0 && errno != EINTR) || (n > 0 && write(to, piece, (size_t)n) != n))
            return err_errno(err, ERR_PARK, "%s", path);
    return fsync(to) < 0 ? err_errno(err, ERR_PARK, "%s", path) : 0;
}

static int write_all(struct gathering *all, const char *path, struct err *err) {
    struct archive_stream *stream;
    struct err reading = {0};
    int fd;
    cleanup_json json_t *index = json_pack("{s:i, s:O}", "schemaVersion", 2, "manifests", all->index);
    cleanup_free char *text = json_text(index);
    static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
    *vec_add(all->arena, &all->members, struct archive_member) =
        (struct archive_member){.name = "oci-layout", .p = layout, .n = sizeof layout - 1};
    *vec_add(all->arena, &all->members, struct archive_member) =
        (struct archive_member){.name = "index.json", .p = text, .n = strlen(text)};
    const char *part = arena_printf(all->arena, "%s.part", path);
    if (archive_open(all->members.items, all->members.n, &stream, &fd, err) < 0)
        return -1;
    int rc = copy(fd, part, err);
    if (archive_close(stream, &reading) < 0 && rc == 0) {
        *err = reading;
        rc = -1;
    }
    if (rc == 0 && rename(part, path) < 0)
        rc = err_errno(err, ERR_PARK, "%s", path);
    return rc;
}

int images_write(struct cli *cli, const json_t *images, const char *records, const char *path,
                 int64_t *ret_bytes, struct err *err) {
    const char *set = getenv("FAIRLEAD_REGISTRY");
    struct gathering all = {.arena = &cli->arena,
                            .registry = {.host = cli_option(cli, "registry", set ? set : "127.0.0.1:5000")},
                            .folder = arena_printf(&cli->arena, "%s.parts", path),
                            .index = json_array()};
    size_t i;
    json_t *image;
    (void)signal(SIGPIPE, SIG_IGN); /* where the disk is full the writer is told by EPIPE */
    int rc = file_mkdirs(all.folder, 0700, err);
    if (records) /* first: who it is not for is told at once */
        *vec_add(all.arena, &all.members, struct archive_member) =
            (struct archive_member){.name = BUNDLE_RECORDS, .p = records, .n = strlen(records)};
    json_array_foreach(images, i, image) {
        if (rc == 0)
            rc = gather_image(&all, json_string_value(image), err);
    }
    if (rc == 0)
        rc = write_all(&all, path, err);
    if (rc == 0)
        rc = file_remove_tree(all.folder, err);
    json_decref(all.index);
    *ret_bytes = all.bytes;
    return rc;
}

int instance_images(struct cli *cli, const struct command *command) {
    json_t *answer = NULL;
    struct err err = {0};
    int64_t bytes = 0;
    int rc = cli_find_part(cli, command, "provenance", &answer);
    cleanup_json json_t *images = json_array();
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(answer, "items"), i, item)(void)
        json_array_append(images, json_object_get(item, "image"));
    if (rc == EXIT_OK && json_array_size(images) == 0) {
        (void)fprintf(stderr,
                      "fairlead: it has no images yet: they are built first (\"fairlead instance steps\")\n");
        rc = EXIT_FAILED;
    } else if (rc == EXIT_OK && images_write(cli, images, NULL, cli->args[1], &bytes, &err) < 0) {
        (void)fprintf(stderr, "fairlead: %s\n", err.text);
        rc = err.cls == ERR_RETRY ? EXIT_UNREACHABLE : EXIT_FAILED;
    }
    cleanup_json json_t *said = json_pack("{s:s, s:i, s:I}", "file", cli->args[1], "images",
                                          (int)json_array_size(images), "bytes", (json_int_t)bytes);
    if (rc == EXIT_OK)
        cli_say(cli, said,
                arena_printf(&cli->arena,
                             "%zu images, %lld MB, are in %s: \"fairlead-agent import\" takes it",
                             json_array_size(images), (long long)(bytes / 1000000), cli->args[1]));
    json_decref(answer);
    return rc;
}
