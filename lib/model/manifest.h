/* The manifest of an image: which blobs it is made of (OCI image specification 1.1, and Docker's schema 2,
 * which has the same fields). Foreign bytes, whose digest was checked; sizes have ceilings. Pure. */
#ifndef FAIRLEAD_MODEL_MANIFEST_H
#define FAIRLEAD_MODEL_MANIFEST_H

#include "base/err.h"
#include "base/mem.h"
#include "model/names.h"

#include <stdint.h>

#define MANIFEST_BYTES_MAX 262144
#define MANIFEST_CONFIG_MAX 4194304     /* bytes of its configuration */
#define MANIFEST_LAYERS_MAX 127         /* what an Engine stacks */
#define MANIFEST_IMAGE_MAX (64LL << 30) /* bytes of all its layers, packed */

/* In the order of preference; what a registry is asked for. */
#define MANIFEST_TYPES                                                                                       \
    "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"

struct manifest_blob {
    char digest[DIGEST_SIZE];
    int64_t size;
};

struct manifest {
    const char *media;                                        /* its own media type; a constant */
    struct manifest_blob config, layers[MANIFEST_LAYERS_MAX]; /* layers: the lowest first */
    size_t layers_n;
    int64_t bytes; /* of all blobs */
};

/* Class park: it is no manifest of one image, or beyond a ceiling. */
MUST_CHECK int manifest_parse(const char *text, size_t n, struct manifest *ret, struct err *err);

/* The digests of the unpacked layers, by the image's configuration: as many as the manifest has layers, in
 * the arena. Class park. */
MUST_CHECK int manifest_parse_config(const char *text, size_t n, const struct manifest *manifest,
                                     struct arena *arena, const char ***ret, struct err *err);

#endif
