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
#define ENVELOPE_ENROL "fairlead.enrol.v1"
#define ENVELOPE_AUTHORITY "fairlead.authority.v1"
#define ENVELOPE_RENEW "fairlead.renew.v1"
#define ENVELOPE_CHALLENGE "fairlead.challenge.v1"

/* Sizes are checked before a record is stored: a broker must never refuse one (topics allow 1 MiB). */
#define ENVELOPE_BYTES_MAX 900000

/* The packed, signed envelope, in the arena. */
void *envelope_make(const struct sign_keys *keys, const char *type, const void *payload, size_t n,
                    struct arena *arena, size_t *ret_n);

/* Type and payload of an envelope whose signature is good under the key of `ring` that it names. Class dead
 * otherwise. The payload is copied into the arena; *ret_type is one of the names above. */
MUST_CHECK int envelope_open(const struct keyring *ring, const void *bytes, size_t n, struct arena *arena,
                             const char **ret_type, const void **ret, size_t *ret_n, struct err *err);

#endif
