#include "coordinator/republish.h"

#include "coordinator/letters.h"
#include "coordinator/topics.h"
#include "sql/queries.h"

#include <string.h>

#define CHUNK 500

/* A page behind the last key: (node, instance, kind, set) of documents. *ret_more: there are others. */
static int documents_page(struct pg *pg, struct uuid last[2], char last_kind[20], char last_letter[2],
                          int64_t *count, bool *ret_more, struct err *err) {
    struct arena arena = {0};
    struct letters letters = {.pg = pg, .arena = &arena};
    struct pg_params params = {.arena = &arena};
    pg_params_uuid(&params, last[0]);
    pg_params_uuid(&params, last[1]);
    pg_params_text(&params, last_kind);
    pg_params_text(&params, last_letter);
    pg_params_int(&params, CHUNK);
    cleanup_result PGresult *res = pg_run(pg, query_republish_documents, &params, err);
    for (int i = 0; res && i < PQntuples(res); i++) {
        char topic[TOPIC_NAME_SIZE];
        struct uuid node = pg_uuid(res, i, 0);
        struct outbox_row *row = letter_add(
            &letters, arena_strdup(&arena, topic_of_document(node, pg_uuid(res, i, 4), topic)), "document");
        row->node_id = node;
        row->instance_id = pg_uuid(res, i, 1);
        row->document = arena_strdup(&arena, pg_text(res, i, 2));
        row->letter = arena_strdup(&arena, pg_text(res, i, 3));
        last[0] = row->node_id;
        last[1] = row->instance_id;
        (void)strncpy(last_kind, row->document, 19);
        last_letter[0] = row->letter[0];
    }
    int rc = res ? letters_write(&letters, err) : -1;
    *count += (int64_t)letters.rows.n;
    *ret_more = letters.rows.n == CHUNK;
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
    struct letters letters = {.pg = pg, .arena = &arena};
    struct vec keys = {0};
    cleanup_result PGresult *res = pg_run(pg, query_republish_events_page, NULL, err);
    for (int i = 0; res && i < PQntuples(res); i++)
        *vec_add(&arena, &keys, struct event_key) = event_key(pg_uuid(res, i, 0), pg_int(res, i, 1));
    if (keys.n) { /* one row carries the keys of all */
        struct outbox_row *row = letter_add(&letters, TOPIC_EVENTS, "events");
        row->lane = LANE_EVENTS;
        row->partition = -1;
        outbox_events(row, &keys);
    }
    int rc = res ? letters_write(&letters, err) : -1;
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
