/* What an image was built from: an in-toto statement (v1) with SLSA's provenance (v1) as its predicate. It is
 * made by the coordinator, of its own order and of what the builder's signed report says came out, travels in
 * stack documents, and is thus as good as their signature. A node starts no image whose statement is about
 * another one. Pure. */
#ifndef FAIRLEAD_MODEL_PROVENANCE_H
#define FAIRLEAD_MODEL_PROVENANCE_H

#include "base/err.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "model/names.h"
#include "proto/fairlead.pb-c.h"

#include <jansson.h>
#include <stdbool.h>

#define PROVENANCE_STATEMENT "https://in-toto.io/Statement/v1"
#define PROVENANCE_PREDICATE "https://slsa.dev/provenance/v1"
#define PROVENANCE_BUILD "urn:fairlead:docker-build:v1"
#define PROVENANCE_MEDIA "application/vnd.in-toto+json" /* payloadType of its envelope (DSSE) */
#define PROVENANCE_BYTES_MAX 65536

/* `order`: parameters of the build (model/source.h); `facts`: of the report that node `builder` signed: image
 * (repository@digest), image_id. NULL where they do not say which image it is (an earlier version of the
 * builder), or another repository than was ordered. In the arena. */
const char *provenance_make(const json_t *order, const json_t *facts, struct uuid builder,
                            struct arena *arena);

/* What a statement says of an image. */
struct provenance {
    char image_id[DIGEST_SIZE]; /* by which an Engine knows it */
    const char *source;         /* repository that its files came from; in the arena */
    char commit[65];
};

/* Is the statement about this image (repository@digest)? Class park: it is not, or is none. */
MUST_CHECK int provenance_read(const char *statement, const char *image, struct arena *arena,
                               struct provenance *ret, struct err *err);

/* What the stack says of its `i`-th image; *ret_known false: nothing. Class park: also where it says two
 * things. */
MUST_CHECK int provenance_of(const Fairlead__V1__Stack *stack, size_t i, struct arena *arena, bool *ret_known,
                             struct provenance *ret, struct err *err);

#endif
