#include "coordinator/heartbeat.h"

#include "coordinator/letters.h"
#include "coordinator/topics.h"
#include "node/envelope.h"
#include "proto/fairlead.pb-c.h"
#include "sql/queries.h"

#include <string.h>

/* Identities in hex, with commas between. */
static struct vec read_ids(const char *hex, struct arena *arena) {
    struct vec ids = {0};
    for (; hex && *hex; hex += strcspn(hex, ","), hex += *hex == ',') {
        char one[UUID_HEX_SIZE];
        struct uuid id;
        (void)snprintf(one, sizeof one, "%.*s", (int)strcspn(hex, ","), hex);
        if (uuid_parse(one, &id))
            *vec_add(arena, &ids, ProtobufCBinaryData) =
                (ProtobufCBinaryData){sizeof id.b, arena_memdup(arena, id.b, sizeof id.b)};
    }
    return ids;
}

void heartbeat_record(const struct sign_keys *keys, PGresult *res, int row, int64_t interval_s,
                      struct arena *arena, struct outbox_row *ret) {
    Fairlead__V1__Heartbeat heartbeat = FAIRLEAD__V1__HEARTBEAT__INIT;
    struct uuid node = pg_uuid(res, row, 0);
    struct vec tenants = read_ids(pg_text(res, row, 5), arena);
    heartbeat.node = (ProtobufCBinaryData){sizeof node.b, node.b};
    heartbeat.n = pg_int(res, row, 1);
    heartbeat.interval_s = (uint32_t)interval_s;
    heartbeat.documents = (uint32_t)pg_int(res, row, 2);
    heartbeat.tenants = tenants.items;
    heartbeat.n_tenants = tenants.n;
    heartbeat.hash =
        (ProtobufCBinaryData){(size_t)PQgetlength(res, row, 3), (uint8_t *)PQgetvalue(res, row, 3)};
    size_t n = fairlead__v1__heartbeat__get_packed_size(&heartbeat);
    uint8_t *packed = arena_alloc(arena, n);
    fairlead__v1__heartbeat__pack(&heartbeat, packed);
    ret->key = key_of_word(node, "heartbeat", arena);
    ret->value.p = envelope_make(keys, ENVELOPE_HEARTBEAT, packed, n, arena, &ret->value.n);
}

static void add(struct letters *letters, const struct sign_keys *keys, PGresult *res, int row,
                int64_t interval_s) {
    char topic[TOPIC_NAME_SIZE];
    topic_of_node(pg_uuid(res, row, 0), pg_uuid(res, row, 4), topic);
    heartbeat_record(keys, res, row, interval_s, letters->arena,
                     letter_add(letters, arena_strdup(letters->arena, topic), "record"));
}

int heartbeat_send(struct pg *pg, const struct sign_keys *keys, int64_t interval_s, struct err *err) {
    struct arena arena = {0};
    struct pg_params params = {.arena = &arena};
    struct letters letters = {.pg = pg, .arena = &arena};
    pg_params_int(&params, interval_s);
    cleanup_result PGresult *due = pg_run(pg, query_heartbeats_due, &params, err);
    int rc = due ? 0 : -1;
    for (int row = 0; rc == 0 && row < PQntuples(due); row++)
        add(&letters, keys, due, row, interval_s);
    /* Behind the documents that they are about: a row's number is drawn when it is written. */
    if (rc == 0)
        rc = letters_write(&letters, err);
    arena_release(&arena);
    return rc;
}
