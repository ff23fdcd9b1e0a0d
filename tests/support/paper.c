/* Documents that no walk writes yet, as a coordinator will: signed by its key, sent to the topic of the node
 * that holds the stack of an instance; or as who has stolen its key. usage: paper COORDINATOR_KEYS STATE
 * INSTANCE REVISION WHAT on|off|absent
 * WHAT  stack: the very one that is held
 *       set VOLUME PORT: a second set "b" beside the first, with a copy of its volume of its own
 *       task ID UNTIL: work that happens once (ID: hex; UNTIL: seconds from now)
 *       certificate NAME KEY_SHA256 FILE: the chain in FILE
 *       heartbeat: REVISION is its number; that nothing is wanted
 */
#include "base/clock.h"
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
    (void)fprintf(stderr, "paper: %s\n", text);
    return 1;
}

static Fairlead__V1__Document *read_first(const struct node_identity *node, const char *state,
                                          const char *instance, struct err *err) {
    char path[512];
    struct opened opened;
    size_t n;
    cleanup_free char *envelope = NULL;
    (void)snprintf(path, sizeof path, "%s/documents/%s.stack.accepted", state, instance);
    if (file_read(path, 1048576, &envelope, &n, err) < 0 ||
        envelope_reopen(&node->coordinator.ring, envelope, n, &arena, &opened, err) < 0)
        return NULL;
    return fairlead__v1__document__unpack(NULL, opened.n, opened.payload);
}

static ProtobufCBinaryData pack(const ProtobufCMessage *message) {
    size_t n = protobuf_c_message_get_packed_size(message);
    uint8_t *p = arena_alloc(&arena, n + 1);
    protobuf_c_message_pack(message, p);
    return (ProtobufCBinaryData){n, p};
}

static void write_set(Fairlead__V1__Document *document, char **args, const char *want) {
    Fairlead__V1__Stack *stack =
        fairlead__v1__stack__unpack(NULL, document->content.len, document->content.data);
    Fairlead__V1__KeyValue copy = FAIRLEAD__V1__KEY_VALUE__INIT, *copies[] = {&copy};
    copy.key = args[0];
    copy.value = arena_strdup(&arena, "2");
    stack->n_copies = 1;
    stack->copies = copies;
    stack->port = (uint32_t)strtoul(args[1], NULL, 10);
    stack->identity = arena_strdup(&arena, "00000000000000000000000000000002");
    stack->running = str_eq(want, "on");
    stack->purge = str_eq(want, "absent");
    document->set = arena_strdup(&arena, "b");
    document->content = pack(&stack->base);
}

static void write_stack(Fairlead__V1__Document *document, const char *want) {
    Fairlead__V1__Stack *stack =
        fairlead__v1__stack__unpack(NULL, document->content.len, document->content.data);
    stack->running = str_eq(want, "on");
    document->content = pack(&stack->base);
}

static void write_task(Fairlead__V1__Document *document, char **args) {
    Fairlead__V1__Task task = FAIRLEAD__V1__TASK__INIT;
    Fairlead__V1__Noop noop = FAIRLEAD__V1__NOOP__INIT;
    uint8_t id[16] = {0};
    (void)hex_decode(id, sizeof id, args[0]);
    task.id = (ProtobufCBinaryData){sizeof id, id};
    task.not_begun_after_us = clock_wall_us() + strtoll(args[1], NULL, 10) * CLOCK_S;
    task.work_case = FAIRLEAD__V1__TASK__WORK_NOOP;
    task.noop = &noop;
    document->content = pack(&task.base);
}

static int write_certificate(Fairlead__V1__Document *document, char **args, struct err *err) {
    Fairlead__V1__Certificate certificate = FAIRLEAD__V1__CERTIFICATE__INIT;
    char *names[] = {args[0]};
    uint8_t hash[32];
    if (!hex_decode(hash, sizeof hash, args[1]))
        return err_set(err, ERR_PARK, "the hash of a key is 64 hex digits");
    if (file_read(args[2], 65536, &certificate.chain, NULL, err) < 0)
        return -1;
    certificate.n_names = 1;
    certificate.names = names;
    certificate.public_key_sha256 = (ProtobufCBinaryData){sizeof hash, hash};
    document->content = pack(&certificate.base);
    return 0;
}

static const struct {
    const char *what, *kind, *key;
    int args;
} papers[] = {{"stack", "stack", "stack", 0},
              {"set", "stack", "stack.b", 2},
              {"task", "task", "task", 2},
              {"certificate", "certificate", "certificate", 3},
              {"heartbeat", NULL, "heartbeat", 0}};
static const size_t papers_n = sizeof papers / sizeof *papers;

static int write_paper(Fairlead__V1__Document *document, const char *what, char **args, const char *want,
                       struct err *err) {
    document->absent = str_eq(want, "absent");
    if (str_eq(what, "stack"))
        write_stack(document, want);
    else if (str_eq(what, "set"))
        write_set(document, args, want);
    else if (str_eq(what, "task"))
        write_task(document, args);
    else
        return write_certificate(document, args, err);
    return 0;
}

static Fairlead__V1__Heartbeat heartbeat_of(struct node_identity *node, int64_t n) {
    static uint8_t hash[32];
    Fairlead__V1__Heartbeat said = FAIRLEAD__V1__HEARTBEAT__INIT;
    said.node = (ProtobufCBinaryData){sizeof node->id.b, node->id.b};
    said.n = n;
    said.interval_s = 300;
    said.hash = (ProtobufCBinaryData){sizeof hash, hash};
    return said;
}

/* `instance`: of a document; empty for what is the node's own. */
static int send(const struct node_identity *node, const struct sign_keys *keys, const char *type,
                const ProtobufCMessage *message, ProtobufCBinaryData instance, const char *key_tail,
                struct err *err) {
    const ProtobufCBinaryData payload = pack(message);
    size_t n;
    void *envelope = envelope_make(keys, type, payload.data, payload.len, &arena, &n);
    struct str key = STR_INIT(64);
    str_add(&key, node->id.b, sizeof node->id.b);
    if (instance.len)
        str_add(&key, instance.data, instance.len);
    str_adds(&key, key_tail);
    /* Into a node's topic only the coordinator and a hand that may do everything can write. */
    const struct broker broker = {.servers = getenv("FAIRLEAD_KAFKA"),
                                  .ca = getenv("FAIRLEAD_KAFKA_CA"),
                                  .cert = getenv("FAIRLEAD_KAFKA_TOOLS")};
    struct kprod *kprod = kprod_open(&broker, "paper", reported, NULL, err);
    if (!kprod || kprod_send(kprod, node->topic, 0, key.s, key.n, envelope, n, NULL, 0, err) < 0)
        return -1;
    (void)kprod_flush(kprod, 10000);
    kprod_close(kprod);
    return delivered ? 0 : err_set(err, ERR_RETRY, "not delivered");
}

int main(int argc, char **argv) {
    struct err err = {0};
    struct node_identity node;
    struct sign_keys keys;
    int64_t revision;
    size_t i = 0;
    while (argc > 5 && i < papers_n && !str_eq(papers[i].what, argv[5]))
        i++;
    if (argc < 7 || i == papers_n || argc != 7 + papers[i].args ||
        !str_to_int(argv[4], 1, INT64_MAX, &revision))
        return fail("usage: paper COORDINATOR_KEYS STATE INSTANCE REVISION WHAT on|off|absent");
    if (sign_init(&err) < 0 || sign_keys_load(&keys, argv[1], &err) < 0 ||
        node_load(argv[2], &node, &err) < 0)
        return fail(err.text);
    Fairlead__V1__Document *document = read_first(&node, argv[2], argv[3], &err);
    if (!document)
        return fail(err.text);
    if (!papers[i].kind) {
        Fairlead__V1__Heartbeat said = heartbeat_of(&node, revision);
        if (send(&node, &keys, ENVELOPE_HEARTBEAT, &said.base, (ProtobufCBinaryData){0}, papers[i].key,
                 &err) < 0)
            return fail(err.text);
        return 0;
    }
    document->kind = arena_strdup(&arena, papers[i].kind);
    document->revision = (uint64_t)revision;
    if (write_paper(document, argv[5], argv + 6, argv[argc - 1], &err) < 0 ||
        send(&node, &keys, ENVELOPE_DOCUMENT, &document->base, document->instance, papers[i].key, &err) < 0)
        return fail(err.text);
    return 0;
}
