/* Who asks, and what that opens: a principal is a person or a program, of the provider or of a customer. What
 * it may is a set of scopes (principal.def), what it reaches a customer, a tenant or a plane, or everything.
 * Pure. */
#ifndef FAIRLEAD_MODEL_PRINCIPAL_H
#define FAIRLEAD_MODEL_PRINCIPAL_H

#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "model/routes.h"

enum scope {
#define SCOPE(id, name, what) SCOPE_##id,
#include "model/principal.def"
    SCOPE_COUNT,
    SCOPE_SELF = SCOPE_COUNT, /* of a route: whoever has shown a token */
    SCOPE_ANYBODY,            /* ... not even that */
};
struct scope_row {
    const char *name, *what;
};
extern const struct scope_row scope_rows[SCOPE_COUNT];

#define SCOPES_ALL ((1u << SCOPE_COUNT) - 1)
/* Bits of the scopes that are named ("a,b"); "*" is all of them, an unknown name none. NULL: none. */
unsigned scope_bits(const char *names);

/* What a request may touch; nil: no limit of that kind. A limit to a tenant comes with its customer. */
struct reach {
    struct uuid customer_id, tenant_id, plane_id;
};
bool reach_is_limited(const struct reach *reach);
bool reach_holds(const struct reach *reach, struct uuid customer_id, struct uuid tenant_id,
                 struct uuid plane_id);

bool reach_holds_tenant(const struct reach *reach, struct uuid customer_id, struct uuid tenant_id);
bool reach_holds_plane(const struct reach *reach, struct uuid plane_id);

struct principal {
    struct uuid id;
    struct uuid credential_id; /* the token or session by which it asks */
    const char *name;          /* "anna", or "harbour/anna" of a customer */
    const char *role;
    struct reach reach;
    const char *csrf; /* of a session by cookie: what must come with a change; NULL: of all else */
    bool is_session;
    int64_t expires_at; /* of the credential; 0: never */
    unsigned scopes;    /* bits of enum scope: what its role and this credential both may */
};

enum route_verdict {
    ROUTE_OPEN,
    ROUTE_NO_SCOPE, /* it lacks the scope of the route */
    ROUTE_TOO_FAR,  /* the route reaches everything, the principal does not */
};
/* May it call the route? `principal` NULL: a stranger. Which objects it finds there is for its reach. */
enum route_verdict route_judge(const struct route_row *route, const struct principal *principal);

#endif
