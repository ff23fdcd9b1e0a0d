#include "model/principal.h"

#include <string.h>

const struct scope_row scope_rows[SCOPE_COUNT] = {
#define SCOPE(id, text, opens) {.name = text, .what = opens},
#include "model/principal.def"
};

static bool is(const char *name, const char *p, size_t n) {
    return strlen(name) == n && memcmp(name, p, n) == 0;
}

unsigned scope_bits(const char *names) {
    unsigned bits = 0;
    for (const char *p = names ? names : ""; *p;) {
        size_t n = strcspn(p, ",");
        bits |= is("*", p, n) ? SCOPES_ALL : 0;
        for (int i = 0; i < SCOPE_COUNT; i++)
            bits |= is(scope_rows[i].name, p, n) ? 1u << i : 0;
        p += n + (p[n] == ',');
    }
    return bits;
}

bool reach_is_limited(const struct reach *reach) {
    return !uuid_is_nil(reach->customer_id) || !uuid_is_nil(reach->tenant_id) ||
           !uuid_is_nil(reach->plane_id);
}

static bool fits(struct uuid limit, struct uuid id) {
    return uuid_is_nil(limit) || uuid_eq(limit, id);
}

bool reach_holds_tenant(const struct reach *reach, struct uuid customer_id, struct uuid tenant_id) {
    return fits(reach->customer_id, customer_id) && fits(reach->tenant_id, tenant_id);
}

bool reach_holds_plane(const struct reach *reach, struct uuid plane_id) {
    return fits(reach->plane_id, plane_id);
}

bool reach_holds(const struct reach *reach, struct uuid customer_id, struct uuid tenant_id,
                 struct uuid plane_id) {
    return reach_holds_tenant(reach, customer_id, tenant_id) && reach_holds_plane(reach, plane_id);
}

enum route_verdict route_judge(const struct route_row *route, const struct principal *principal) {
    if (route->scope == SCOPE_ANYBODY)
        return ROUTE_OPEN;
    if (!principal || (route->scope < SCOPE_COUNT && !(principal->scopes & 1u << route->scope)))
        return ROUTE_NO_SCOPE;
    return route->reach == REACH_FLEET && reach_is_limited(&principal->reach) ? ROUTE_TOO_FAR : ROUTE_OPEN;
}
