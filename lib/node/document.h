/* Documents as they lie on a node's disk: opened, and walked over. For whoever looks at what a node holds
 * without its keeper. */
#ifndef FAIRLEAD_NODE_DOCUMENT_H
#define FAIRLEAD_NODE_DOCUMENT_H

#include "node/node.h"
#include "proto/fairlead.pb-c.h"

/* What is in an envelope that the coordinator signed, perhaps with a key that is retired by now. *ret_since
 * (may be NULL): of that key. NULL: it is none of those, or no document of an instance; class park or dead.
 * The caller frees it with fairlead__v1__document__free_unpacked(). */
Fairlead__V1__Document *node_document_open(const struct node_identity *node, const void *envelope, size_t n,
                                           uint64_t *ret_since, struct err *err);
/* The same of one that was as wanted; NULL also where its key was stolen: that is not begun again by itself,
 * nor kept. */
Fairlead__V1__Document *node_document_open_healthy(const struct node_identity *node, const void *envelope,
                                                   size_t n);
/* Is it the same revision, whoever signed it? */
bool node_document_is(const Fairlead__V1__Document *a, const Fairlead__V1__Document *b);
/* Its stack; NULL: it holds none, or one that cannot be read. The caller frees it with
 * fairlead__v1__stack__free_unpacked(). */
Fairlead__V1__Stack *node_document_stack(const Fairlead__V1__Document *document);
/* The last one of the same thing that was as wanted; NULL: there is none. */
Fairlead__V1__Document *node_document_last_healthy(const struct node_identity *node, const char *state,
                                                   const Fairlead__V1__Document *document);
/* Calls each() for every one that was accepted; `was_healthy`: this very one was as wanted once. */
MUST_CHECK int node_document_each(const struct node_identity *node, const char *state,
                                  void (*each)(void *arg, const Fairlead__V1__Document *document,
                                               bool was_healthy),
                                  void *arg, struct err *err);

#endif
