/* What a node that was taken over could say: one record of many reports, signed by the node's own key.
 * usage: forge STATE KIND COUNT    KIND: order, document, condition, unknown, inventory (one part), parts
 * Fills the record up to what the broker takes when COUNT is 0. Prints how many reports it holds, and bytes.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/kprod.h"
#include "node/envelope.h"
#include "node/node.h"
#include "proto/fairlead.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_MAX 1000000 /* the topic takes 1 MiB */

static struct arena arena;

static ProtobufCBinaryData some_id(void) {
    struct uuid id = uuid_make(clock_wall_us());
    return (ProtobufCBinaryData){16, arena_memdup(&arena, id.b, 16)};
}

static Fairlead__V1__DocumentReport *document(const char *condition) {
    Fairlead__V1__DocumentReport *report = arena_new(&arena, Fairlead__V1__DocumentReport);
    fairlead__v1__document_report__init(report);
    report->instance = some_id();
    report->kind = arena_strdup(&arena, "stack");
    report->condition = arena_strdup(&arena, condition);
    return report;
}

static Fairlead__V1__Report *make(const char *kind, unsigned i) {
    char text[UUID_TEXT_SIZE];
    Fairlead__V1__Report *report = arena_new(&arena, Fairlead__V1__Report);
    fairlead__v1__report__init(report);
    report->n = i + 1;
    if (str_eq(kind, "order")) {
        report->body_case = FAIRLEAD__V1__REPORT__BODY_ORDER;
        report->order = arena_new(&arena, Fairlead__V1__OrderReport);
        fairlead__v1__order_report__init(report->order);
        report->order->order = some_id();
        report->order->subject = arena_strdup(&arena, uuid_text(uuid_make(clock_wall_us()), text));
    } else if (str_eq(kind, "document") || str_eq(kind, "condition")) {
        report->body_case = FAIRLEAD__V1__REPORT__BODY_DOCUMENT;
        report->document = document(str_eq(kind, "document") ? "healthy" : "excellent");
    } else if (str_eq(kind, "inventory") || str_eq(kind, "parts")) {
        report->body_case = FAIRLEAD__V1__REPORT__BODY_INVENTORY;
        report->inventory = arena_new(&arena, Fairlead__V1__Inventory);
        fairlead__v1__inventory__init(report->inventory);
        report->inventory->nonce = some_id();
        report->inventory->part = str_eq(kind, "parts") ? i + 1 : 1;
        report->inventory->parts = report->inventory->part;
    } else if (str_eq(kind, "presence")) { /* of 1970 */
        report->body_case = FAIRLEAD__V1__REPORT__BODY_PRESENCE;
        report->presence = arena_new(&arena, Fairlead__V1__Presence);
        fairlead__v1__presence__init(report->presence);
    } /* unknown: says nothing */
    return report;
}

static bool delivered;

static void reported(void *arg, uint64_t tag, enum kprod_result result, const char *reason) {
    (void)arg, (void)tag;
    delivered = result == KPROD_DELIVERED;
    if (!delivered)
        (void)fprintf(stderr, "not delivered: %s\n", reason);
}

static int fail(const char *text) {
    (void)fprintf(stderr, "forge: %s\n", text);
    return 1;
}

int main(int argc, char **argv) {
    struct err err = {0};
    struct node_identity node;
    int64_t count = 0;
    if (argc != 4 || !str_to_int(argv[3], 0, 1000000, &count))
        return fail("usage: forge STATE KIND COUNT");
    if (sign_init(&err) < 0 || node_load(argv[1], &node, &err) < 0)
        return fail(err.text);
    struct uuid stream = uuid_make(clock_wall_us());
    Fairlead__V1__Reports reports = FAIRLEAD__V1__REPORTS__INIT;
    struct vec all = {0};
    reports.node = (ProtobufCBinaryData){16, node.id.b};
    reports.stream = (ProtobufCBinaryData){16, stream.b};
    for (size_t bytes = 200; count ? all.n < (size_t)count : bytes < RECORD_MAX;) {
        Fairlead__V1__Report *report = make(argv[2], (unsigned)all.n);
        bytes += fairlead__v1__report__get_packed_size(report) + 4;
        if (count || bytes < RECORD_MAX)
            *vec_add(&arena, &all, Fairlead__V1__Report *) = report;
    }
    reports.n_reports = all.n;
    reports.reports = all.items;
    size_t size = fairlead__v1__reports__get_packed_size(&reports), n;
    uint8_t *payload = arena_alloc(&arena, size);
    fairlead__v1__reports__pack(&reports, payload);
    void *envelope = envelope_make(&node.keys, ENVELOPE_REPORTS, payload, size, &arena, &n);
    struct broker broker = node_broker(&node);
    struct kprod *kprod = kprod_open(&broker, "forge", reported, NULL, &err);
    if (!kprod || kprod_send(kprod, "fairlead.reports", -1, node.id.b, sizeof node.id.b, envelope, n, NULL, 0,
                             &err) < 0)
        return fail(err.text);
    (void)kprod_flush(kprod, 10000);
    printf("%zu reports, %zu bytes\n", all.n, n);
    kprod_close(kprod);
    arena_release(&arena);
    return delivered ? 0 : 1;
}
