/* Documents as the keeper looks at them: what they are called, what they want, and whether they are ours. */
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/tables.h"
#include "node/envelope.h"
#include "node/keeper_item.h"

#include <stdio.h>
#include <string.h>

bool keeper_wants_running(const Fairlead__V1__Document *document) {
    bool running = false;
    if (document->absent)
        return false;
    if (str_eq(document->kind, "stack")) {
        Fairlead__V1__Stack *stack =
            fairlead__v1__stack__unpack(NULL, document->content.len, document->content.data);
        running = stack && stack->running;
        if (stack)
            fairlead__v1__stack__free_unpacked(stack, NULL);
    } else if (str_eq(document->kind, "watch")) {
        Fairlead__V1__Watch *watch =
            fairlead__v1__watch__unpack(NULL, document->content.len, document->content.data);
        running = watch && watch->running;
        if (watch)
            fairlead__v1__watch__free_unpacked(watch, NULL);
    }
    return running;
}

const char *keeper_letter(const Fairlead__V1__Document *document) {
    return *document->set ? document->set : SET_FIRST;
}

void keeper_key(const uint8_t instance[16], const char *kind, const char *letter, char out[KEEPER_KEY_SIZE]) {
    char hex[33];
    bool first = !*letter || str_eq(letter, SET_FIRST);
    hex_encode(hex, instance, 16);
    (void)snprintf(out, KEEPER_KEY_SIZE, "%s.%.16s%s%.1s", hex, kind, first ? "" : ".", first ? "" : letter);
}

void keeper_key_of(const Fairlead__V1__Document *document, char out[KEEPER_KEY_SIZE]) {
    keeper_key(document->instance.data, document->kind, document->set, out);
}

/* Its letter becomes part of the names of files. */
bool keeper_addresses(const struct keeper *keeper, const Fairlead__V1__Document *document) {
    const char *letter = keeper_letter(document);
    return document->node.len == 16 && memcmp(document->node.data, keeper->conf.node->id.b, 16) == 0 &&
           document->instance.len == 16 && letter[0] >= 'a' && letter[0] <= 'z' && !letter[1];
}

Fairlead__V1__Document *keeper_copy(const Fairlead__V1__Document *document) {
    size_t n = fairlead__v1__document__get_packed_size(document);
    cleanup_free uint8_t *bytes = mem_alloc(n);
    fairlead__v1__document__pack(document, bytes);
    return fairlead__v1__document__unpack(NULL, n, bytes);
}

Fairlead__V1__Document *keeper_open_envelope(const struct keeper *keeper, const void *envelope, size_t n,
                                             struct err *err) {
    struct arena arena = {0};
    const char *type;
    const void *payload;
    size_t payload_n;
    Fairlead__V1__Document *document = NULL;
    if (envelope_open(&keeper->conf.node->coordinator, envelope, n, &arena, &type, &payload, &payload_n,
                      err) == 0 &&
        str_eq(type, ENVELOPE_DOCUMENT))
        document = fairlead__v1__document__unpack(NULL, payload_n, payload);
    arena_release(&arena);
    return document;
}

Fairlead__V1__Document *keeper_last_healthy(const struct node_identity *node, const char *state,
                                            const Fairlead__V1__Document *document) {
    struct arena arena = {0};
    char key[KEEPER_KEY_SIZE];
    cleanup_free char *envelope = NULL;
    const char *type;
    const void *payload;
    size_t n;
    Fairlead__V1__Document *last = NULL;
    keeper_key_of(document, key);
    const char *path = arena_printf(&arena, "%s/documents/%s.healthy", state, key);
    if (file_exists(path) && file_read(path, ENVELOPE_BYTES_MAX + 4096, &envelope, &n, NULL) == 0 &&
        envelope_open(&node->coordinator, envelope, n, &arena, &type, &payload, &n, NULL) == 0)
        last = fairlead__v1__document__unpack(NULL, n, payload);
    arena_release(&arena);
    return last;
}

static bool is_same(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b) {
    return a->len == b->len && (!a->len || memcmp(a->data, b->data, a->len) == 0);
}

bool keeper_same(const Fairlead__V1__Document *a, const Fairlead__V1__Document *b) {
    return a->absent == b->absent && is_same(&a->content, &b->content);
}
