/* What a batch sends: orders of one topic and partition in one signed envelope, documents signed one by one,
 * and the identities of its events in one row. */
#include "base/clock.h"
#include "base/str.h"
#include "coordinator/store/batch.h"
#include "coordinator/topics.h"
#include "proto/fairlead.pb-c.h"
#include "sql/queries.h"

#include <endian.h>
#include <string.h>

#define GROUP_BYTES_MAX 500000 /* of orders in one envelope: well below what a broker refuses */

/* Orders that travel together. */
struct group {
    const struct order_row *row;
    int partition;
    size_t bytes;
    int64_t not_after;
    struct vec orders; /* const struct order_out * */
};

static void add_to_group(struct batch *batch, struct vec *groups, const struct order_out *order) {
    const struct order_row *row = order_find(order->kind);
    unsigned spread =
        order->partition_key ? topic_hash(order->partition_key) : (unsigned)batch->carriage->turn;
    int partition = (int)(spread % (unsigned)row->partitions);
    struct group *group = NULL;
    for (size_t i = 0; i < groups->n && !group; i++) {
        struct group *g = vec_at(groups, struct group, i);
        if (g->row == row && g->partition == partition && g->bytes + order->order.n < GROUP_BYTES_MAX)
            group = g;
    }
    if (!group) {
        group = vec_add(batch->arena, groups, struct group);
        *group = (struct group){.row = row, .partition = partition};
    }
    if (!group->not_after || order->not_after < group->not_after)
        group->not_after = order->not_after;
    group->bytes += order->order.n + 8;
    *vec_add(batch->arena, &group->orders, const struct order_out *) = order;
}

static void put_varint(struct str *out, uint64_t v) {
    for (; v >= 0x80; v >>= 7)
        str_add(out, &(char){(char)(uint8_t)(v | 0x80)}, 1);
    str_add(out, &(char){(char)(uint8_t)v}, 1);
}

/* Orders{audience, issued, not_after} packed by protobuf-c, then each packed Order as field 4: the same bytes
 * as packing all at once, without unpacking what decisions packed. */
static void pack_group(const struct batch *batch, const struct group *group, struct str *out) {
    Fairlead__V1__Orders head = FAIRLEAD__V1__ORDERS__INIT;
    head.audience = arena_printf(batch->arena, "%s/provider", role_name(group->row->role));
    head.issued_us = batch->now;
    head.not_after_us = group->not_after;
    uint8_t packed[128];
    str_add(out, packed, fairlead__v1__orders__pack(&head, packed));
    for (size_t i = 0; i < group->orders.n; i++) {
        const struct order_out *order = *vec_at(&group->orders, const struct order_out *, i);
        str_add(out, "\x22", 1);
        put_varint(out, order->order.n);
        str_add(out, order->order.p, order->order.n);
    }
}

static struct outbox_row *add_row(struct batch *batch, struct vec *rows, int lane, const char *kind,
                                  const char *topic, int partition) {
    struct outbox_row *row = arena_new(batch->arena, struct outbox_row);
    *row = (struct outbox_row){
        .lane = lane, .partition = partition, .kind = kind, .topic = topic, .letter = SET_FIRST};
    *vec_add(batch->arena, rows, struct outbox_row *) = row;
    batch->lanes |= 1u << lane;
    return row;
}

static int collect_orders(struct batch *batch, struct vec *rows, struct err *err) {
    struct vec groups = {0};
    for (size_t d = 0; d < batch->decisions.n; d++) {
        const struct decision *decision = *vec_at(&batch->decisions, struct decision *, d);
        for (size_t i = 0; i < decision->orders.n; i++)
            add_to_group(batch, &groups, vec_at(&decision->orders, struct order_out, i));
    }
    batch->carriage->turn += groups.n > 0;
    for (size_t i = 0; i < groups.n; i++) {
        const struct group *group = vec_at(&groups, struct group, i);
        cleanup_str struct str payload = STR_INIT(ENVELOPE_BYTES_MAX);
        pack_group(batch, group, &payload);
        if (str_is_cut(&payload))
            return err_set(err, ERR_PARK, "an order is larger than a broker takes");
        struct outbox_row *row = add_row(batch, rows, lane_of_partition(group->partition), "record",
                                         group->row->topic, group->partition);
        row->value.p = envelope_make(batch->carriage->keys, ENVELOPE_ORDERS, payload.s, payload.n,
                                     batch->arena, &row->value.n);
    }
    return 0;
}

static int sign_document(struct batch *batch, bool is_private, struct document *document, struct err *err) {
    Fairlead__V1__Document packed = FAIRLEAD__V1__DOCUMENT__INIT;
    if (is_private)
        packed.tenant = (ProtobufCBinaryData){.len = 16, .data = document->tenant_id.b};
    packed.node = (ProtobufCBinaryData){.len = 16, .data = document->node_id.b};
    packed.instance = (ProtobufCBinaryData){.len = 16, .data = document->instance_id.b};
    packed.kind = (char *)(uintptr_t)document_rows[document->kind].name;
    if (!str_eq(document->letter, SET_FIRST))
        packed.set = (char *)(uintptr_t)document->letter;
    packed.epoch = (uint32_t)document->epoch;
    packed.revision = (uint64_t)document->revision;
    packed.generation = (uint64_t)document->generation;
    packed.absent = document->absent;
    packed.traceparent = (char *)(uintptr_t)(document->trace ? document->trace : "");
    packed.content =
        (ProtobufCBinaryData){.len = document->content.n, .data = (uint8_t *)(uintptr_t)document->content.p};
    size_t n = fairlead__v1__document__get_packed_size(&packed);
    if (n > ENVELOPE_BYTES_MAX)
        return err_set(err, ERR_PARK, "a document is larger than a broker takes");
    uint8_t *bytes = arena_alloc(batch->arena, n);
    fairlead__v1__document__pack(&packed, bytes);
    document->envelope.p = envelope_make(batch->carriage->keys, ENVELOPE_DOCUMENT, bytes, n, batch->arena,
                                         &document->envelope.n);
    return 0;
}

static int collect_documents(struct batch *batch, struct vec *rows, struct err *err) {
    for (size_t s = 0; s < batch->subjects_n; s++) {
        const struct subject *subject = batch->subjects[s];
        bool is_private = subject_is_private(subject);
        for (size_t i = 0; i < subject->documents.n; i++) {
            struct document *document = vec_at(&subject->documents, struct document, i);
            if (!document->envelope.n && sign_document(batch, is_private, document, err) < 0)
                return -1;
            if (!document->send)
                continue;
            char topic[TOPIC_NAME_SIZE];
            topic_of_document(document->node_id, is_private ? document->tenant_id : (struct uuid){{0}},
                              topic);
            struct outbox_row *row =
                add_row(batch, rows, lane_of_topic(topic), "document", arena_strdup(batch->arena, topic), 0);
            row->node_id = document->node_id;
            row->instance_id = document->instance_id;
            row->document = document_rows[document->kind].name;
            row->letter = document->letter;
        }
    }
    return 0;
}

static void collect_events(struct batch *batch, struct vec *rows) {
    struct vec keys = {0};
    for (size_t d = 0; d < batch->decisions.n; d++) {
        const struct decision *decision = *vec_at(&batch->decisions, struct decision *, d);
        for (size_t i = 0; i < decision->events.n; i++) {
            const struct event_row *event = vec_at(&decision->events, struct event_row, i);
            *vec_add(batch->arena, &keys, struct event_key) = event_key(event->instance_id, event->sequence);
        }
    }
    if (keys.n)
        outbox_events(add_row(batch, rows, LANE_EVENTS, "events", TOPIC_EVENTS, -1), &keys);
}

struct event_key event_key(struct uuid instance_id, int64_t sequence) {
    return (struct event_key){instance_id, htobe64((uint64_t)sequence)};
}

void outbox_events(struct outbox_row *row, const struct vec *keys) {
    row->value = (struct bytes){keys->items, keys->n * sizeof(struct event_key)};
    row->document = EVENTS_BY_KEY;
}

int batch_collect_outbox(struct batch *batch, struct vec *rows, struct err *err) {
    if (collect_orders(batch, rows, err) < 0 || collect_documents(batch, rows, err) < 0)
        return -1;
    collect_events(batch, rows);
    return 0;
}

static const struct pg_column outbox_columns[] = {
    PG_COL(struct outbox_row, lane, PG_INT),      PG_COL(struct outbox_row, kind, PG_TEXT),
    PG_COL(struct outbox_row, topic, PG_TEXT),    PG_COL(struct outbox_row, partition, PG_INT),
    PG_COL(struct outbox_row, key, PG_BYTES),     PG_COL(struct outbox_row, value, PG_BYTES),
    PG_COL(struct outbox_row, node_id, PG_UUID),  PG_COL(struct outbox_row, instance_id, PG_UUID),
    PG_COL(struct outbox_row, document, PG_TEXT), PG_COL(struct outbox_row, letter, PG_TEXT),
};

int batch_send_outbox(struct batch *batch, const struct vec *rows, struct err *err) {
    if (!rows->n)
        return 0;
    struct pg_params params = {.arena = batch->arena};
    pg_params_rows(&params, outbox_columns, sizeof outbox_columns / sizeof *outbox_columns, rows->items,
                   rows->n);
    batch->sent++;
    if (pg_send(batch->pg, query_outbox_insert, &params, err) < 0)
        return -1;
    /* Lanes of another process: one notification per batch wakes them. */
    if (!(batch->lanes & ~atomic_load(batch->carriage->owned)))
        return 0;
    batch->sent++;
    return pg_send(batch->pg, query_relay_notify, NULL, err);
}
