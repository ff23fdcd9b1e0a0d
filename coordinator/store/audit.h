/* The audit: a row for each act that changed something, or showed what is secret: who, from where, what, and
 * hashes of what was there and is there now. Rows are bound to each other in chains (migration 0015); heads
 * of chains are signed. */
#ifndef FAIRLEAD_COORDINATOR_STORE_AUDIT_H
#define FAIRLEAD_COORDINATOR_STORE_AUDIT_H

#include "coordinator/signing.h"
#include "io/pg.h"
#include "model/rows.h"

struct audit_row {
    struct uuid customer_id; /* whom it concerns; nil: nobody's alone */
    struct uuid principal_id, credential_id, request_id;
    const char *address, *act, *object, *trace;
    int64_t status;
    struct bytes before, after; /* hashes; empty: nothing */
};

/* The hash of a text for `before` or `after`, in the arena; NULL: nothing. */
struct bytes audit_hash(struct arena *arena, const char *text);

/* Parameters of query_audit_append, which belongs into the transaction of the act, last: it holds a chain
 * until COMMIT. */
void audit_params(struct pg_params *params, const struct audit_row *const *rows, size_t n);

/* Signs the head of each chain that has grown, and publishes it: in audit_heads, in the topic fairlead.audit,
 * in `file`. */
MUST_CHECK int audit_sign_heads(struct pg *pg, const struct sign_keys *keys, const char *file,
                                struct err *err);

struct audit_chain_found {
    int64_t chain, rows, signed_n;
};
struct audit_found {
    struct vec chains;   /* struct audit_chain_found */
    const char *problem; /* the first; NULL: all is whole */
};
/* Reads all of it again. `file`: the heads as the coordinator's folder remembers them; may be missing. In the
 * arena. */
MUST_CHECK int audit_verify(struct pg *pg, struct signing *signing, const char *file, struct arena *arena,
                            struct audit_found *ret, struct err *err);

#endif
