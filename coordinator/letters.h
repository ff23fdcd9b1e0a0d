/* Rows of the outbox that are written outside the engine: they change no state, and say what stands. They are
 * stored together, and whoever carries them is woken. */
#ifndef FAIRLEAD_COORDINATOR_LETTERS_H
#define FAIRLEAD_COORDINATOR_LETTERS_H

#include "coordinator/store/batch.h"

struct letters {
    struct pg *pg;
    struct arena *arena; /* all that they say lives there */
    struct vec rows;     /* struct outbox_row * */
};

/* One more, in the lane of its topic; `topic` is not copied. */
struct outbox_row *letter_add(struct letters *letters, const char *topic, const char *kind);
/* None: nothing is done. What a row means that is there no more is no error. */
MUST_CHECK int letters_write(const struct letters *letters, struct err *err);

#endif
