/* Images that come by file, where the registry is not reached or the link is slow (`fairlead instance
 * images`): their pieces are kept by their digests, and used when a document asks for them, as those of the
 * registry are: whose file it was does not matter. */
#ifndef FAIRLEAD_STEP_IMAGE_IMPORT_H
#define FAIRLEAD_STEP_IMAGE_IMPORT_H

#include "base/err.h"
#include "io/archive.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_IMPORTED "imported" /* folder of a node's state */

struct image_imported {
    size_t blobs; /* that are here now */
    int64_t bytes;
};

/* Takes the blobs of an archive (OCI image layout 1.1, as tar); what else is in it is offered to `others`.
 * `state`: the node's folder. Class park: it is none, or a blob is not what its name says: those before it
 * stay; retry: it cannot be read, or kept. */
MUST_CHECK int image_import(const char *state, const char *file, const struct archive_taker *others,
                            struct image_imported *ret, struct err *err);

/* The file of a blob ("sha256:...") that was imported, checked: it is what its digest names, of that size
 * (-1: any). False: there is none. */
bool image_imported(const char *state, const char *digest, int64_t size, char path[600]);
/* It is not needed any more. */
void image_import_drop(const char *state, const char *digest);

#endif
