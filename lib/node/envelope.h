/* Signed envelopes: what leaves the coordinator or a node, and how it is believed. Verify first, then parse
 * those very bytes (protocol section 4). */
#ifndef FAIRLEAD_NODE_ENVELOPE_H
#define FAIRLEAD_NODE_ENVELOPE_H

#include "base/err.h"
#include "base/mem.h"
#include "io/sign.h"

#define ENVELOPE_ORDERS "fairlead.orders.v1"
#define ENVELOPE_DOCUMENT "fairlead.document.v1"
#define ENVELOPE_LIST "fairlead.list.v1"
#define ENVELOPE_HEARTBEAT "fairlead.heartbeat.v1"
#define ENVELOPE_REPORTS "fairlead.reports.v1"
#define ENVELOPE_KEYS "fairlead.keys.v1" /* by the authority's root: node/key_set.h */
#define ENVELOPE_ENROL "fairlead.enrol.v1"
#define ENVELOPE_WELCOME "fairlead.welcome.v1"
#define ENVELOPE_AUTHORITY "fairlead.authority.v1"
#define ENVELOPE_RENEW "fairlead.renew.v1"
#define ENVELOPE_CHALLENGE "fairlead.challenge.v1"

/* Sizes are checked before a record is stored: a broker must never refuse one (topics allow 1 MiB). */
#define ENVELOPE_BYTES_MAX 900000

/* The packed, signed envelope, in the arena. */
void *envelope_make(const struct sign_keys *keys, const char *type, const void *payload, size_t n,
                    struct arena *arena, size_t *ret_n);

/* What is in an envelope. */
struct opened {
    const char *type;    /* one of the names above */
    const void *payload; /* in the arena */
    size_t n;
    uint64_t since; /* of the key that signed it */
};

/* An envelope whose signature is good under the key of `ring` that it names. Class dead otherwise. */
MUST_CHECK int envelope_open(const struct keyring *ring, const void *bytes, size_t n, struct arena *arena,
                             struct opened *ret, struct err *err);
/* The same for what was believed before and kept: its key may be retired by now. */
MUST_CHECK int envelope_reopen(const struct keyring *ring, const void *bytes, size_t n, struct arena *arena,
                               struct opened *ret, struct err *err);

#endif
