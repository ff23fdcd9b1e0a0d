/* Documents as the keeper looks at them: what they are called, what they want, and whether they are ours. */
#include "base/mem.h"
#include "base/str.h"
#include "model/tables.h"
#include "node/document.h"
#include "node/keeper_item.h"

#include <stdio.h>
#include <string.h>

bool keeper_wants_running(const Fairlead__V1__Document *document) {
    bool running = false;
    if (document->absent)
        return false;
    if (str_eq(document->kind, "stack")) {
        Fairlead__V1__Stack *stack = node_document_stack(document);
        running = stack && stack->running;
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

static bool is_same(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b) {
    return a->len == b->len && (!a->len || memcmp(a->data, b->data, a->len) == 0);
}

bool keeper_same(const Fairlead__V1__Document *a, const Fairlead__V1__Document *b) {
    return a->absent == b->absent && is_same(&a->content, &b->content);
}
