/* Who this machine is: the identity that it got when it enrolled (protocol section 11), its keys, and the two
 * keys of the coordinator that it pinned. Kept in its state folder: node.json and node.keys; where the
 * coordinator is an authority for certificates, authority.pem (its root), node.pem (our key and chain, by
 * which Kafka and the coordinator know us), node.request.pem (what the last code was used with) and keys (the
 * youngest set of the coordinator's keys). All
 * 0600. */
#ifndef FAIRLEAD_NODE_NODE_H
#define FAIRLEAD_NODE_NODE_H

#include "base/err.h"
#include "base/json.h"
#include "base/uuid.h"
#include "io/broker.h"
#include "io/cert.h"
#include "io/sign.h"
#include "node/key_set.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct node_identity {
    struct uuid id;
    char name[32], address[16], brokers[256], topic[64];
    bool is_private; /* of a private plane: its documents are on the topics of its tenants, and `topic` is the
                      * plane's */
    bool by_file;    /* it has no link: what it is told and what it says is carried as files (bundle.h) */
    uint8_t
        recovery[SEAL_PUBLIC_SIZE]; /* of a private plane: whom its secrets are sealed to besides; pinned */
    char url[256];                  /* of the coordinator; "": enrolled before it was kept */
    char root[512], cert[512];      /* files; "": no certificate */
    atomic_uint renewed; /* how often the certificate was, since the program began: connections made before
                          * are to be made anew */
    struct sign_keys keys;
    char state[400];
    struct key_set coordinator; /* whose word counts here: where threads run, see node_key_set() */
};

/* Of the identity, which outlives it. */
static inline struct broker node_broker(const struct node_identity *node) {
    return (struct broker){.servers = node->brokers,
                           .ca = *node->cert ? node->root : NULL,
                           .cert = *node->cert ? node->cert : NULL};
}

/* Recovery keys that an agent knows of, public halves. */
struct node_recovery {
    const uint8_t *own;   /* made here: it counts if its plane has none yet */
    const uint8_t *known; /* the plane's, as it was pinned or told before; NULL: it was not */
};

/* Uses up the token's one-time code: makes keys (or keeps those of an earlier enrolment), proves that it
 * holds them, pins the coordinator's, stores all. Where the answer was lost, the same token is answered
 * again. `recovery`: NULL, or of an agent: a plane that has another key is none of its customer's. Class park
 * for a token that cannot be right, retry when the coordinator cannot be reached. */
MUST_CHECK int node_enrol(const char *state, const char *token, const struct node_recovery *recovery,
                          struct node_identity *ret, struct err *err);
/* The same without a link: what is to be asked, {"key", "body"} as of POST /v1/enrol, for somebody to carry;
 * its code is in it. */
MUST_CHECK int node_enrol_ask(const char *state, const char *token, const struct node_recovery *recovery,
                              json_t **ret, struct err *err);
/* ... and what was answered, {"authority", "welcome"}: judged as if it had come by the link. Class park: it
 * is none, or another's. */
MUST_CHECK int node_enrol_answer(const char *state, const char *token, const json_t *answer,
                                 const struct node_recovery *recovery, struct node_identity *ret,
                                 struct err *err);
/* Class park when the node has not enrolled. */
MUST_CHECK int node_load(const char *state, struct node_identity *ret, struct err *err);

/* The set of keys that counts now. Any thread. */
struct key_set node_key_set(const struct node_identity *node);
/* Takes a set: kept, synced, and then it counts. *ret_new: it does; one that is no younger changes nothing
 * and is no error. Any thread. Class dead: it is not the root's, or cannot follow; retry: it could not be
 * kept. */
MUST_CHECK int node_take_keys(struct node_identity *node, const void *bytes, size_t n, bool *ret_new,
                              struct err *err);

/* What its certificate says. Class park: it cannot be read. */
MUST_CHECK int node_certificate(const struct node_identity *node, struct cert_facts *ret, struct err *err);
/* A new key and a new certificate from the coordinator, however old the last one is: it is asked by the key
 * that it knows since this node enrolled. *ret_life_us: how long it is good for, by the coordinator's clock.
 * Class park: it says no. */
MUST_CHECK int node_renew(struct node_identity *node, int64_t *ret_life_us, struct err *err);

#endif
