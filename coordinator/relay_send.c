/* Records of outbox rows: documents as they are now, events as CloudEvents, all else as it was written. */
#include "base/clock.h"
#include "base/str.h"
#include "coordinator/relay_own.h"
#include "coordinator/store/batch.h"
#include "model/rows.h"
#include "sql/queries.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

void relay_reported(void *arg, uint64_t tag, enum kprod_result result, const char *reason) {
    struct relay_thread *thread = arg;
    uint32_t index = (uint32_t)tag;
    if (tag >> 32 != thread->pass || index >= thread->parcels.n)
        return;
    struct parcel *parcel = vec_at(&thread->parcels, struct parcel, index);
    parcel->left--;
    if (result > parcel->worst) {
        parcel->worst = result;
        (void)snprintf(parcel->reason, sizeof parcel->reason, "%s", reason);
    }
}

static uint64_t add_parcel(struct relay_thread *thread, int lane, int64_t id, const char *topic) {
    uint64_t tag = (uint64_t)thread->pass << 32 | thread->parcels.n;
    struct parcel *parcel = vec_add(&thread->arena, &thread->parcels, struct parcel);
    *parcel = (struct parcel){.id = id, .lane = lane, .topic = arena_strdup(&thread->arena, topic)};
    return tag;
}

static struct parcel *parcel_of(const struct relay_thread *thread, uint64_t tag) {
    return vec_at(&thread->parcels, struct parcel, (uint32_t)tag);
}

static int send(struct relay_thread *thread, uint64_t tag, const char *topic, int partition, struct bytes key,
                struct bytes value, const struct kprod_header *headers, struct err *err) {
    for (;;) {
        if (kprod_send(thread->kprod, topic, partition, key.p, key.n, value.p, value.n, headers, tag, err) ==
            0) {
            parcel_of(thread, tag)->left++;
            return 0;
        }
        enum kprod_result result = kprod_send_result(thread->kprod);
        if (result == KPROD_PERMANENT || result == KPROD_UNKNOWN_TOPIC) {
            parcel_of(thread, tag)->left++;
            relay_reported(thread, tag, result, err->text);
            return 0;
        }
        if (kprod_poll(thread->kprod, 100) == 0)
            return -1; /* the queue is full and nothing moves */
    }
}

/* The current row of each document, or a tombstone once its absence is confirmed. */
static int send_document(struct relay_thread *thread, uint64_t tag, PGresult *rows, int row,
                         const char *topic, struct err *err) {
    struct pg_params params = {.arena = &thread->arena};
    struct uuid node = pg_uuid(rows, row, 6), instance = pg_uuid(rows, row, 7);
    const char *kind = pg_text(rows, row, 8), *letter = pg_text(rows, row, 9);
    pg_params_uuids(&params, &node, 1);
    pg_params_uuids(&params, &instance, 1);
    pg_params_texts(&params, &kind, 1);
    pg_params_texts(&params, &letter, 1);
    cleanup_result PGresult *res = pg_run(thread->pg, query_outbox_documents, &params, err);
    if (!res)
        return -1;
    if (PQntuples(res) == 0)
        return 0;
    cleanup_str struct str key = STR_INIT(64);
    key_of_document(&key, node, instance, kind, letter);
    struct bytes value = {PQgetvalue(res, 0, 4), (size_t)PQgetlength(res, 0, 4)};
    if (pg_bool(res, 0, 3))
        value = (struct bytes){0};
    return send(thread, tag, topic, 0, (struct bytes){key.s, key.n}, value, NULL, err);
}

/* CloudEvents 1.0, binary mode (Kafka protocol binding): attributes as ce_ headers, data as JSON. */
static int send_event(struct relay_thread *thread, uint64_t tag, PGresult *events, int row, struct err *err) {
    char id[UUID_TEXT_SIZE], subject[UUID_TEXT_SIZE], key[UUID_HEX_SIZE], type[96], at[28], sequence[24],
        tenant[UUID_TEXT_SIZE];
    (void)snprintf(type, sizeof type, "dev.fairlead.instance.%s.v1", pg_text(events, row, 5));
    (void)snprintf(sequence, sizeof sequence, "%020lld", (long long)pg_int(events, row, 2));
    const struct kprod_header headers[] = {
        {"ce_specversion", "1.0"},
        {"ce_id", uuid_text(pg_uuid(events, row, 0), id)},
        {"ce_source", "/fairlead/coordinator"},
        {"ce_type", type},
        {"ce_subject", uuid_text(pg_uuid(events, row, 1), subject)},
        {"ce_time", clock_text(pg_time(events, row, 4), at)},
        {"ce_sequence", sequence},
        {"ce_tenant", uuid_text(pg_uuid(events, row, 8), tenant)},
        {"ce_traceparent", pg_text(events, row, 7)},
        {"content-type", "application/json"},
        {0},
    };
    const char *data = pg_text(events, row, 6);
    uuid_hex(pg_uuid(events, row, 1), key);
    return send(thread, tag, TOPIC_EVENTS, -1, (struct bytes){key, strlen(key)},
                (struct bytes){data, strlen(data)}, headers, err);
}

/* The events of a row: by their keys, or by their identities where the version before has written it. */
static PGresult *read_events(struct relay_thread *thread, PGresult *rows, int row, struct err *err) {
    struct pg_params params = {.arena = &thread->arena};
    struct vec instances = {0}, sequences = {0};
    const char *value = PQgetvalue(rows, row, 5);
    size_t value_n = (size_t)PQgetlength(rows, row, 5);
    if (!str_eq(pg_text(rows, row, 8), EVENTS_BY_KEY)) {
        pg_params_uuids(&params, (const struct uuid *)(const void *)value, value_n / sizeof(struct uuid));
        return pg_run(thread->pg, query_outbox_events_by_id, &params, err);
    }
    for (size_t at = 0; at + sizeof(struct event_key) <= value_n; at += sizeof(struct event_key)) {
        struct event_key key;
        memcpy(&key, value + at, sizeof key);
        *vec_add(&thread->arena, &instances, struct uuid) = key.instance_id;
        *vec_add(&thread->arena, &sequences, int64_t) = (int64_t)be64toh(key.sequence);
    }
    pg_params_uuids(&params, instances.items, instances.n);
    pg_params_ints(&params, sequences.items, sequences.n);
    return pg_run(thread->pg, query_outbox_events, &params, err);
}

static int send_events(struct relay_thread *thread, uint64_t tag, PGresult *rows, int row, struct err *err) {
    cleanup_result PGresult *events = read_events(thread, rows, row, err);
    if (!events)
        return -1;
    for (int i = 0; i < PQntuples(events); i++)
        if (send_event(thread, tag, events, i, err) < 0)
            return -1;
    return 0;
}

static int send_records(struct relay_thread *thread, uint64_t tag, PGresult *rows, int row, struct err *err) {
    const char *kind = pg_text(rows, row, 1), *topic = pg_text(rows, row, 2);
    if (str_eq(kind, "document"))
        return send_document(thread, tag, rows, row, topic, err);
    if (str_eq(kind, "events"))
        return send_events(thread, tag, rows, row, err);
    struct bytes key = {PQgetvalue(rows, row, 4), (size_t)PQgetlength(rows, row, 4)};
    struct bytes value = {PQgetvalue(rows, row, 5), (size_t)PQgetlength(rows, row, 5)};
    if (!key.n)
        key.p = NULL;
    return send(thread, tag, topic, (int)pg_int(rows, row, 3), key, value, NULL, err);
}

int relay_send_row(struct relay_thread *thread, int lane, PGresult *rows, int row, struct err *err) {
    uint64_t tag = add_parcel(thread, lane, pg_int(rows, row, 0), pg_text(rows, row, 2));
    if (send_records(thread, tag, rows, row, err) < 0)
        return -1;
    parcel_of(thread, tag)->whole = true;
    return 0;
}
