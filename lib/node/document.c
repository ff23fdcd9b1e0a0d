#include "node/document.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "node/envelope.h"
#include "node/keeper_item.h"

#include <string.h>

Fairlead__V1__Document *node_document_open(const struct node_identity *node, const void *envelope, size_t n,
                                           uint64_t *ret_since, struct err *err) {
    struct arena arena = {0};
    struct opened opened;
    struct key_set set = node_key_set(node);
    Fairlead__V1__Document *document = NULL;
    if (envelope_reopen(&set.ring, envelope, n, &arena, &opened, err) == 0 &&
        str_eq(opened.type, ENVELOPE_DOCUMENT))
        document = fairlead__v1__document__unpack(NULL, opened.n, opened.payload);
    arena_release(&arena);
    if (ret_since)
        *ret_since = opened.since;
    if (document && document->instance.len == sizeof(struct uuid))
        return document;
    fairlead__v1__document__free_unpacked(document, NULL);
    if (err && !err->text[0])
        (void)err_set(err, ERR_PARK, "this is no document that can be read");
    return NULL;
}

Fairlead__V1__Document *node_document_open_healthy(const struct node_identity *node, const void *envelope,
                                                   size_t n) {
    uint64_t since;
    struct key_set set = node_key_set(node);
    Fairlead__V1__Document *document = node_document_open(node, envelope, n, &since, NULL);
    if (!document || !key_set_is_stolen(&set, since))
        return document;
    fairlead__v1__document__free_unpacked(document, NULL);
    return NULL;
}

bool node_document_is(const Fairlead__V1__Document *a, const Fairlead__V1__Document *b) {
    return a->epoch == b->epoch && a->revision == b->revision && a->absent == b->absent &&
           a->content.len == b->content.len &&
           (!a->content.len || memcmp(a->content.data, b->content.data, a->content.len) == 0);
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
    return there ? node_document_open_healthy(node, envelope, n) : NULL;
}

struct listing {
    const struct node_identity *node;
    void (*each)(void *arg, const Fairlead__V1__Document *document, bool was_healthy);
    void *arg;
};

static int show(void *arg, const void *accepted, size_t accepted_n, const void *healthy, size_t healthy_n,
                struct err *err) {
    const struct listing *listing = arg;
    Fairlead__V1__Document *document = node_document_open(listing->node, accepted, accepted_n, NULL, err);
    if (!document)
        return -1;
    Fairlead__V1__Document *last =
        healthy ? node_document_open_healthy(listing->node, healthy, healthy_n) : NULL;
    listing->each(listing->arg, document, last && node_document_is(document, last));
    fairlead__v1__document__free_unpacked(document, NULL);
    fairlead__v1__document__free_unpacked(last, NULL);
    return 0;
}

int node_document_each(const struct node_identity *node, const char *state,
                       void (*each)(void *arg, const Fairlead__V1__Document *document, bool was_healthy),
                       void *arg, struct err *err) {
    struct listing listing = {node, each, arg};
    return ratchet_read_all(state, show, &listing, err);
}
