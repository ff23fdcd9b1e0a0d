/* For the files of the identity: enrol.c, renew.c, node.c. */
#ifndef FAIRLEAD_NODE_NODE_OWN_H
#define FAIRLEAD_NODE_NODE_OWN_H

#include "node/node.h"

#include <jansson.h>
#include <stdbool.h>

#define NODE_PATH_SIZE 512
const char *node_path(const char *state, const char *name, char out[NODE_PATH_SIZE]);

#define NODE_KEYS "keys" /* the set of the coordinator's keys, as it came */
/* From the state folder, where there is one. Class dead or park: it cannot be read. */
MUST_CHECK int node_load_keys(struct node_identity *node, struct err *err);

/* Asks the coordinator; `ca` and `unverified` as in io/http.h. The answer is the caller's. *ret_status is set
 * where it may be none of those that are good. Class park: it refused, and the sentence says why; retry: it
 * cannot be reached, or cannot answer. */
struct node_question {
    const char *method, *url, *path;
    const char *ca;  /* NULL: the machine's authorities count */
    bool unverified; /* whoever answers: what they say must prove itself */
    json_t *body;    /* NULL: none */
    const char *key; /* Idempotency-Key, or NULL */
};
MUST_CHECK int node_ask(const struct node_question *question, long *ret_status, json_t **ret,
                        struct err *err);

/* The certificate that came is good for our key under this root: node.pem takes the place of the one before.
 */
MUST_CHECK int node_keep_certificate(const char *state, const char *key, const char *chain, const char *root,
                                     struct err *err);

#endif
