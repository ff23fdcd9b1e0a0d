#include "coordinator/letters.h"

#include "coordinator/topics.h"
#include "model/rows.h"

struct outbox_row *letter_add(struct batch *batch, struct vec *rows, const char *topic, const char *kind) {
    struct outbox_row *row = arena_new(batch->arena, struct outbox_row);
    *row =
        (struct outbox_row){.lane = lane_of_topic(topic), .kind = kind, .topic = topic, .letter = SET_FIRST};
    *vec_add(batch->arena, rows, struct outbox_row *) = row;
    return row;
}

int letters_write(struct batch *batch, const struct vec *rows, struct err *err) {
    if (pg_pipeline_begin(batch->pg, err) < 0)
        return -1;
    int rc = batch_send_outbox(batch, rows, err);
    if (rc == 0)
        rc = pg_sync(batch->pg, err);
    if (rc == 0)
        rc = batch_read_store(batch, err);
    pg_pipeline_end(batch->pg);
    return rc;
}
