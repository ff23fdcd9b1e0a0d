/* Rows of the outbox that are written outside the engine: they change no state, and say what stands. In an
 * arena, and stored together, with whoever carries them woken. */
#ifndef FAIRLEAD_COORDINATOR_LETTERS_H
#define FAIRLEAD_COORDINATOR_LETTERS_H

#include "coordinator/store/batch.h"

#include <stdatomic.h>

/* A batch for them, by the name `batch`. Nobody's lanes: the relay that has them may live elsewhere, and is
 * always told. */
#define LETTERS(batch, connection, in, by)                                                                   \
    atomic_uint batch##_owned = 0;                                                                           \
    struct carriage batch##_carriage = {.keys = (by), .owned = &batch##_owned};                              \
    struct batch batch = {.arena = (in), .pg = (connection), .carriage = &batch##_carriage, .lanes = 1}

/* One more, in the lane of its topic. */
struct outbox_row *letter_add(struct batch *batch, struct vec *rows, const char *topic, const char *kind);
/* What is not there is no error. */
MUST_CHECK int letters_write(struct batch *batch, const struct vec *rows, struct err *err);

#endif
