/* A second set beside the first, as a coordinator will write it: the stack that a node holds of an instance,
 * with another letter, another port and copies of its volumes of its own, signed by the coordinator's key.
 * usage: second COORDINATOR_KEYS STATE INSTANCE VOLUME PORT REVISION on|off|absent
 */
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/kprod.h"
#include "node/envelope.h"
#include "node/node.h"
#include "proto/fairlead.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;
static bool delivered;

static void reported(void *arg, uint64_t tag, enum kprod_result result, const char *reason) {
    (void)arg, (void)tag, (void)reason;
    delivered = result == KPROD_DELIVERED;
}

static int fail(const char *text) {
    (void)fprintf(stderr, "second: %s\n", text);
    return 1;
}

static Fairlead__V1__Document *read_first(const struct node_identity *node, const char *state,
                                          const char *instance, struct err *err) {
    char path[512];
    const char *type;
    const void *payload;
    size_t n;
    cleanup_free char *envelope = NULL;
    (void)snprintf(path, sizeof path, "%s/documents/%s.stack.accepted", state, instance);
    if (file_read(path, 1048576, &envelope, &n, err) < 0 ||
        envelope_open(&node->coordinator, envelope, n, &arena, &type, &payload, &n, err) < 0)
        return NULL;
    return fairlead__v1__document__unpack(NULL, n, payload);
}

static uint8_t *pack_stack(const Fairlead__V1__Document *document, char *volume, unsigned port,
                           const char *want, size_t *ret_n) {
    Fairlead__V1__Stack *stack =
        fairlead__v1__stack__unpack(NULL, document->content.len, document->content.data);
    Fairlead__V1__KeyValue copy = FAIRLEAD__V1__KEY_VALUE__INIT, *copies[] = {&copy};
    copy.key = volume;
    copy.value = arena_strdup(&arena, "2");
    stack->n_copies = 1;
    stack->copies = copies;
    stack->port = port;
    stack->identity = arena_strdup(&arena, "00000000000000000000000000000002");
    stack->running = str_eq(want, "on");
    stack->purge = str_eq(want, "absent");
    *ret_n = fairlead__v1__stack__get_packed_size(stack);
    uint8_t *out = arena_alloc(&arena, *ret_n);
    fairlead__v1__stack__pack(stack, out);
    return out;
}

int main(int argc, char **argv) {
    struct err err = {0};
    struct node_identity node;
    struct sign_keys keys;
    int64_t port, revision;
    if (argc != 8 || !str_to_int(argv[5], 1, 65535, &port) || !str_to_int(argv[6], 1, 1000, &revision))
        return fail("usage: second COORDINATOR_KEYS STATE INSTANCE VOLUME PORT REVISION on|off|absent");
    if (sign_init(&err) < 0 || sign_keys_load(&keys, argv[1], &err) < 0 ||
        node_load(argv[2], &node, &err) < 0)
        return fail(err.text);
    Fairlead__V1__Document *document = read_first(&node, argv[2], argv[3], &err);
    if (!document)
        return fail(err.text);
    document->set = arena_strdup(&arena, "b");
    document->revision = (uint64_t)revision;
    document->absent = str_eq(argv[7], "absent");
    document->content.data = pack_stack(document, argv[4], (unsigned)port, argv[7], &document->content.len);
    size_t size = fairlead__v1__document__get_packed_size(document), n;
    uint8_t *payload = arena_alloc(&arena, size);
    fairlead__v1__document__pack(document, payload);
    void *envelope = envelope_make(&keys, ENVELOPE_DOCUMENT, payload, size, &arena, &n);
    struct str key = STR_INIT(64);
    str_add(&key, node.id.b, sizeof node.id.b);
    str_add(&key, document->instance.data, document->instance.len);
    str_adds(&key, "stack.b");
    struct broker broker = node_broker(&node);
    struct kprod *kprod = kprod_open(&broker, "second", reported, NULL, &err);
    if (!kprod || kprod_send(kprod, node.topic, 0, key.s, key.n, envelope, n, NULL, 0, &err) < 0)
        return fail(err.text);
    (void)kprod_flush(kprod, 10000);
    kprod_close(kprod);
    return delivered ? 0 : fail("not delivered");
}
