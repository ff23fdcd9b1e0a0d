/* Who this machine is: the identity that it got when it enrolled (protocol section 11), its keys, and the two
 * keys of the coordinator that it pinned. Kept in its state folder as node.json and node.keys, both 0600. */
#ifndef FAIRLEAD_NODE_NODE_H
#define FAIRLEAD_NODE_NODE_H

#include "base/err.h"
#include "base/uuid.h"
#include "io/broker.h"
#include "io/sign.h"

struct node_identity {
    struct uuid id;
    char name[32], address[16], brokers[256], topic[64];
    struct sign_keys keys;
    struct keyring coordinator; /* whose word counts here */
    uint8_t coordinator_seal[SEAL_PUBLIC_SIZE];
};

/* Of the identity, which outlives it. */
static inline struct broker node_broker(const struct node_identity *node) {
    return (struct broker){.servers = node->brokers};
}

/* Uses up the token's one-time code: makes keys (or keeps those of an earlier enrolment), proves that it
 * holds them, pins the coordinator's, stores all. Where the answer was lost, the same token is answered
 * again. Class park for a token that cannot be right, retry when the coordinator cannot be reached. */
MUST_CHECK int node_enrol(const char *state, const char *token, struct node_identity *ret, struct err *err);
/* Class park when the node has not enrolled. */
MUST_CHECK int node_load(const char *state, struct node_identity *ret, struct err *err);

#endif
