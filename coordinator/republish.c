#include "coordinator/republish.h"

#include "coordinator/store/batch.h"
#include "coordinator/topics.h"
#include "sql/queries.h"

#include <string.h>

#define CHUNK 500

static int write_rows(struct pg *pg, struct arena *arena, const struct vec *rows, struct err *err) {
    atomic_uint nobody = 0; /* always notify: the relay may live elsewhere */
    struct carriage carriage = {.owned = &nobody};
    struct batch batch = {.arena = arena, .pg = pg, .carriage = &carriage, .lanes = 1};
    if (!rows->n)
        return 0;
    if (pg_pipeline_begin(pg, err) < 0)
        return -1;
    int rc = batch_send_outbox(&batch, rows, err);
    if (rc == 0)
        rc = pg_sync(pg, err);
    if (rc == 0)
        rc = batch_read_store(&batch, err);
    pg_pipeline_end(pg);
    return rc;
}

/* A page behind the last key: (node, instance, kind, set) of documents. *ret_more: there are others. */
static int documents_page(struct pg *pg, struct uuid last[2], char last_kind[20], char last_letter[2],
                          int64_t *count, bool *ret_more, struct err *err) {
    struct arena arena = {0};
    struct vec rows = {0};
    struct pg_params params = {.arena = &arena};
    pg_params_uuid(&params, last[0]);
    pg_params_uuid(&params, last[1]);
    pg_params_text(&params, last_kind);
    pg_params_text(&params, last_letter);
    pg_params_int(&params, CHUNK);
    cleanup_result PGresult *res = pg_run(pg, query_republish_documents, &params, err);
    for (int i = 0; res && i < PQntuples(res); i++) {
        char topic[TOPIC_NAME_SIZE];
        struct outbox_row *row = arena_new(&arena, struct outbox_row);
        *row = (struct outbox_row){.kind = "document",
                                   .node_id = pg_uuid(res, i, 0),
                                   .instance_id = pg_uuid(res, i, 1),
                                   .document = arena_strdup(&arena, pg_text(res, i, 2)),
                                   .letter = arena_strdup(&arena, pg_text(res, i, 3))};
        row->topic = arena_strdup(&arena, topic_of_node(row->node_id, topic));
        row->lane = lane_of_topic(topic);
        *vec_add(&arena, &rows, struct outbox_row *) = row;
        last[0] = row->node_id;
        last[1] = row->instance_id;
        (void)strncpy(last_kind, row->document, 19);
        last_letter[0] = row->letter[0];
    }
    int rc = res ? write_rows(pg, &arena, &rows, err) : -1;
    *count += (int64_t)rows.n;
    *ret_more = rows.n == CHUNK;
    arena_release(&arena);
    return rc;
}

/* What nobody heard of is sorted by the server, once: that may take long where there are many. */
static int open_events(struct pg *pg, int64_t events_s, struct err *err) {
    struct arena arena = {0};
    struct pg_params params = {.arena = &arena};
    pg_params_int(&params, events_s);
    if (pg_script(pg, "close all; begin; set local statement_timeout = '10min'", err) < 0)
        return -1;
    PGresult *declared = pg_run(pg, query_republish_events, &params, err);
    PQclear(declared);
    arena_release(&arena);
    if (declared && pg_script(pg, "commit", err) == 0)
        return 0;
    pg_rollback(pg);
    return -1;
}

static int events_page(struct pg *pg, int64_t *count, bool *ret_more, struct err *err) {
    struct arena arena = {0};
    struct vec rows = {0}, keys = {0};
    cleanup_result PGresult *res = pg_run(pg, query_republish_events_page, NULL, err);
    for (int i = 0; res && i < PQntuples(res); i++)
        *vec_add(&arena, &keys, struct event_key) = event_key(pg_uuid(res, i, 0), pg_int(res, i, 1));
    if (keys.n) { /* one row carries the keys of all */
        struct outbox_row *row = arena_new(&arena, struct outbox_row);
        *row = (struct outbox_row){.lane = LANE_EVENTS,
                                   .kind = "events",
                                   .topic = TOPIC_EVENTS,
                                   .partition = -1,
                                   .letter = SET_FIRST};
        outbox_events(row, &keys);
        *vec_add(&arena, &rows, struct outbox_row *) = row;
    }
    int rc = res ? write_rows(pg, &arena, &rows, err) : -1;
    *count += (int64_t)keys.n;
    *ret_more = keys.n > 0;
    arena_release(&arena);
    return rc;
}

static int republish_events(struct pg *pg, int64_t events_s, int64_t *count, struct err *err) {
    if (open_events(pg, events_s, err) < 0)
        return -1;
    for (bool more = true; more;)
        if (events_page(pg, count, &more, err) < 0)
            return -1;
    return pg_script(pg, "close republished", err);
}

int republish(struct pg *pg, unsigned what, int64_t events_s, int64_t *ret_rows, struct err *err) {
    int64_t count = 0;
    struct uuid last[2] = {{{0}}, {{0}}};
    char kind[20] = "", letter[2] = "";
    for (bool more = what & REPUBLISH_DOCUMENTS; more;)
        if (documents_page(pg, last, kind, letter, &count, &more, err) < 0)
            return -1;
    if ((what & REPUBLISH_EVENTS) && republish_events(pg, events_s, &count, err) < 0)
        return -1;
    if (what & REPUBLISH_ORDERS) {
        cleanup_result PGresult *res = pg_run(pg, query_republish_orders, NULL, err);
        if (!res)
            return -1;
        count += pg_int(res, 0, 0);
    }
    if (ret_rows)
        *ret_rows = count;
    return 0;
}
