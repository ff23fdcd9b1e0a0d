/* For the files of the image: one that is on its way here. */
#ifndef FAIRLEAD_STEP_IMAGE_OWN_H
#define FAIRLEAD_STEP_IMAGE_OWN_H

#include "model/manifest.h"
#include "step/image.h"

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

/* ---- image_fetch.c: errors are those of a step ---- */

/* The registry's manifest, if it is that of the image with this id. Class park: it is another's; retry. */
MUST_CHECK int image_read_manifest(struct fetch *fetch, const char *id, struct err *err);
/* What of its layers is not here, from its configuration on; and then all of it is loaded. */
MUST_CHECK int image_fetch(struct fetch *fetch, struct err *err);
/* The file that a blob is, or will be, in. */
const char *image_blob_path(const struct fetch *fetch, const struct manifest_blob *blob);

/* ---- image_load.c ---- */

/* "repository:..." by which people and `docker image prune` know that it is somebody's. */
const char *image_tag(struct arena *arena, const char *repository, const char *digest);
/* Gives the Engine the layers from `from` on. err.code ENGINE_REFUSED: it answered, and does not take them.
 */
MUST_CHECK int image_load(const struct fetch *fetch, struct err *err);

#endif
