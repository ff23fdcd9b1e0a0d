/* The routes of the HTTP API as data (routes.def): what programs may ask, what they send, what they get. The
 * coordinator adds the handlers; the CLI reads what an option means. */
#ifndef FAIRLEAD_MODEL_ROUTES_H
#define FAIRLEAD_MODEL_ROUTES_H

#include "base/schema.h"

#include <stddef.h>

enum route {
#define ROUTE(id, method, path, scope, reach, body, query, answer, shape, help) ROUTE_##id,
#include "model/routes.def"
    ROUTE_COUNT
};

/* Of what may it be asked? */
enum route_reach {
    REACH_FLEET, /* everything: refused to whoever is limited to a customer, a tenant or a plane */
    REACH_OWN,   /* what the principal reaches; there is nothing else for it */
};

/* Of a good answer. */
enum route_shape {
    SHAPE_ONE,     /* the fields */
    SHAPE_PAGE,    /* {"items": [...], "next": the cursor of the next page, or null} */
    SHAPE_ITEMS,   /* {"items": [...]} */
    SHAPE_NOTHING, /* 204 */
    SHAPE_TEXT,    /* no JSON */
};

struct route_row {
    const char *id, *method;
    const char *path; /* "/v1/nodes/{node}/invite": a name in braces is one part */
    int scope;        /* enum scope (model/principal.h) */
    enum route_reach reach;
    const struct schema_field *body, *query, *answer; /* NULL: none */
    enum route_shape shape;
    const char *help;
};
extern const struct route_row route_rows[ROUTE_COUNT];

/* Is `path` one of the route's? *ret and *ret_n: what stands for the names in braces, from the first to the
 * last
 * ("harbour/office" of /v1/tenants/{customer}/{tenant}); empty where there are none. */
bool route_matches(const struct route_row *route, const char *path, const char **ret, size_t *ret_n);

/* Does an answer (JSON, parsed) look as its route says? Class park: where not. */
MUST_CHECK int route_check_answer(const struct route_row *route, json_t *answer, struct err *err);

#endif
