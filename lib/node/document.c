#include "node/document.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "node/envelope.h"
#include "node/keeper_item.h"

#include <string.h>

Fairlead__V1__Document *node_document_open(const struct node_identity *node, const void *envelope, size_t n,
                                           struct err *err) {
    struct arena arena = {0};
    const char *type;
    const void *payload;
    size_t payload_n;
    Fairlead__V1__Document *document = NULL;
    if (envelope_open(&node->coordinator, envelope, n, &arena, &type, &payload, &payload_n, err) == 0 &&
        str_eq(type, ENVELOPE_DOCUMENT))
        document = fairlead__v1__document__unpack(NULL, payload_n, payload);
    arena_release(&arena);
    if (document && document->instance.len == sizeof(struct uuid))
        return document;
    fairlead__v1__document__free_unpacked(document, NULL);
    if (err && !err->text[0])
        (void)err_set(err, ERR_PARK, "this is no document that can be read");
    return NULL;
}

Fairlead__V1__Stack *node_document_stack(const Fairlead__V1__Document *document) {
    return str_eq(document->kind, "stack")
               ? fairlead__v1__stack__unpack(NULL, document->content.len, document->content.data)
               : NULL;
}

Fairlead__V1__Document *node_document_last_healthy(const struct node_identity *node, const char *state,
                                                   const Fairlead__V1__Document *document) {
    struct arena arena = {0};
    char key[KEEPER_KEY_SIZE];
    cleanup_free char *envelope = NULL;
    size_t n;
    keeper_key_of(document, key);
    const char *path = arena_printf(&arena, "%s/documents/%s.healthy", state, key);
    bool there = file_exists(path) && file_read(path, ENVELOPE_BYTES_MAX + 4096, &envelope, &n, NULL) == 0;
    arena_release(&arena);
    return there ? node_document_open(node, envelope, n, NULL) : NULL;
}

struct listing {
    const struct node_identity *node;
    void (*each)(void *arg, const Fairlead__V1__Document *document, bool was_healthy);
    void *arg;
};

static int show(void *arg, const void *accepted, size_t accepted_n, const void *healthy, size_t healthy_n,
                struct err *err) {
    const struct listing *listing = arg;
    Fairlead__V1__Document *document = node_document_open(listing->node, accepted, accepted_n, err);
    if (!document)
        return -1;
    listing->each(listing->arg, document,
                  healthy && healthy_n == accepted_n && memcmp(healthy, accepted, accepted_n) == 0);
    fairlead__v1__document__free_unpacked(document, NULL);
    return 0;
}

int node_document_each(const struct node_identity *node, const char *state,
                       void (*each)(void *arg, const Fairlead__V1__Document *document, bool was_healthy),
                       void *arg, struct err *err) {
    struct listing listing = {node, each, arg};
    return ratchet_read_all(state, show, &listing, err);
}
