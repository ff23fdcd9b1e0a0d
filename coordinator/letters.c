#include "coordinator/letters.h"

#include "coordinator/topics.h"
#include "model/rows.h"

#include <stdatomic.h>

struct outbox_row *letter_add(struct letters *letters, const char *topic, const char *kind) {
    struct outbox_row *row = arena_new(letters->arena, struct outbox_row);
    *row =
        (struct outbox_row){.lane = lane_of_topic(topic), .kind = kind, .topic = topic, .letter = SET_FIRST};
    *vec_add(letters->arena, &letters->rows, struct outbox_row *) = row;
    return row;
}

int letters_write(const struct letters *letters, struct err *err) {
    atomic_uint nobody = 0; /* always notify: the relay may live elsewhere */
    struct carriage carriage = {.owned = &nobody};
    struct batch batch = {.arena = letters->arena, .pg = letters->pg, .carriage = &carriage, .lanes = 1};
    if (!letters->rows.n)
        return 0;
    if (pg_pipeline_begin(letters->pg, err) < 0)
        return -1;
    int rc = batch_send_outbox(&batch, &letters->rows, err);
    if (rc == 0)
        rc = pg_sync(letters->pg, err);
    if (rc == 0)
        rc = batch_read_store(&batch, err);
    pg_pipeline_end(letters->pg);
    return rc;
}
