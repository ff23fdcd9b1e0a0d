/* The table of routes: to add an endpoint, a row here and a handler in a file of its resource. The
 * first row that fits is taken. docs/ROUTES.md lists the rows (fairlead-coordinator routes). */
#include "base/fault.h"
#include "base/str.h"
#include "coordinator/api/api.h"

#include <stdlib.h>
#include <string.h>

#define READ(path, kind, plural)                                                                             \
    {"GET", "/v1/" path, false, NULL, false, record_list, &record_##kind, "list " plural}, {                 \
        "GET", "/v1/" path "/", true, NULL, false, record_get, &record_##kind, "get one of the " plural      \
    }
#define CREATE(path, kind, plural)                                                                           \
    { "POST", "/v1/" path, false, NULL, false, record_create, &record_##kind, "create one of the " plural }
#define DELETE(path, kind, plural)                                                                           \
    {                                                                                                        \
        "DELETE", "/v1/" path "/", true, NULL, false, record_delete, &record_##kind,                         \
            "delete one of the " plural                                                                      \
    }
#define RECORDS(path, kind, plural)                                                                          \
    READ(path, kind, plural), CREATE(path, kind, plural), DELETE(path, kind, plural)

static const enum intent_kind stop = INTENT_STOP, start = INTENT_START, retry = INTENT_RETRY,
                              extend = INTENT_EXTEND, delete = INTENT_DELETE;

const struct api_route api_routes[] = {
    {"GET", "/healthz", false, NULL, true, health_get, NULL, "the process lives"},
    {"GET", "/readyz", false, NULL, true, ready_get, NULL, "the database answers, and takes writes"},
    {"POST", "/v1/enrol", false, NULL, true, node_enrol, NULL, "a node joins with its one-time code"},
    {"POST", "/v1/nodes/", true, "/invite", false, node_invite, NULL,
     "a one-time code for a node, valid for an hour"},
    {"POST", "/v1/nodes/", true, "/address", false, node_address, NULL,
     "a node has another address: what names it is told anew"},
    {"GET", "/metrics", false, NULL, false, metrics_get, NULL, "metrics, for Prometheus"},
    {"GET", "/v1/status", false, NULL, false, status_get, NULL, "the fleet at a glance, and what is stuck"},
    {"GET", "/v1/doctor", false, NULL, false, doctor_get, NULL,
     "checks of everything that Fairlead stands on"},
    {"GET", "/v1/clock", false, NULL, false, clock_get, NULL, "what timers go by, and whether they are held"},
    {"POST", "/v1/clock/accept", false, NULL, false, clock_accept, NULL,
     "after a jump: the clock is right as it is, timers that stop or remove go on"},
    RECORDS("plans", plans, "plans"),
    RECORDS("customers", customers, "customers"),
    RECORDS("tenants", tenants, "tenants; a key is CUSTOMER/TENANT"),
    RECORDS("planes", planes, "planes"),
    {"GET", "/v1/nodes/", true, NULL, false, node_get, NULL,
     "get one of the nodes, with what it last said of itself"},
    RECORDS("nodes", nodes, "nodes"),
    RECORDS("sizes", sizes, "sizes; a key is PLANE/SIZE"),
    READ("apps", apps, "apps (made by their releases)"),
    READ("releases", releases, "releases; a key is APP/VERSION"),
    CREATE("releases", releases, "releases; a key is APP/VERSION"),
    {"POST", "/v1/releases/", true, "/withdraw", false, release_withdraw, NULL,
     "offer a release no more; what runs on it goes on"},
    {"POST", "/v1/releases/", true, "/offer", false, release_offer, NULL, "offer it again"},
    {"POST", "/v1/releases/", true, "/default", false, release_default, NULL,
     "the release that is taken where no version is asked for"},
    {"POST", "/v1/images/prune", false, NULL, false, images_prune, NULL,
     "images that nothing has used for some days: marked, to be taken out of the registry"},
    {"POST", "/v1/images/pruned", false, NULL, false, images_pruned, NULL, "the registry has these no more"},
    {"POST", "/v1/dead-letters/", true, "/retry", false, dead_letter_retry, NULL,
     "a record that nobody could use, once more"},
    READ("dead-letters", dead_letters, "records that nobody could use"),
    DELETE("dead-letters", dead_letters, "records that nobody could use"),
    {"POST", "/v1/instances/", true, "/stop", false, instance_intent, &stop,
     "stop an instance; its data is kept"},
    {"POST", "/v1/instances/", true, "/start", false, instance_intent, &start, "start a stopped instance"},
    {"POST", "/v1/instances/", true, "/retry", false, instance_intent, &retry, "go on after a failed step"},
    {"POST", "/v1/instances/", true, "/extend", false, instance_intent, &extend, "move the end of the trial"},
    {"GET", "/v1/instances/", true, "/steps", false, instance_steps, NULL, "every step of every walk"},
    {"GET", "/v1/instances/", true, "/events", false, instance_events, NULL,
     "its history; Accept: text/event-stream follows it"},
    {"GET", "/v1/instances/", true, "/credentials", false, credentials_get, NULL,
     "what its owner must see once"},
    {"POST", "/v1/instances/", true, "/credentials/confirm", false, credentials_confirm, NULL,
     "the reader has them: they are gone here"},
    {"GET", "/v1/instances", false, NULL, false, instance_list, NULL,
     "list instances (customer, tenant, name, state)"},
    {"POST", "/v1/instances", false, NULL, false, instance_create, NULL, "ask for a new instance"},
    {"GET", "/v1/instances/", true, NULL, false, instance_get, NULL, "get an instance"},
    {"DELETE", "/v1/instances/", true, NULL, false, instance_intent, &delete,
     "delete an instance; purge=true lets its data go"},
};
const int api_routes_n = sizeof api_routes / sizeof *api_routes;

/* The rest of the path behind a route's prefix and before its suffix; NULL: another route. */
static const char *match(const struct api_route *route, struct httpd_request *request) {
    size_t n = strlen(route->prefix), rest_n;
    if (!route->has_rest)
        return str_eq(request->path, route->prefix) ? "" : NULL;
    if (!str_starts(request->path, route->prefix) || !request->path[n])
        return NULL;
    const char *rest = request->path + n;
    rest_n = strlen(rest);
    if (!route->suffix)
        return rest;
    size_t suffix_n = strlen(route->suffix);
    if (rest_n <= suffix_n || strcmp(rest + rest_n - suffix_n, route->suffix) != 0)
        return NULL;
    return arena_strndup(&request->arena, rest, rest_n - suffix_n);
}

static bool is_signed_in(const struct api *api, struct httpd_request *request) {
    const char *header = httpd_header(request, "Authorization");
    char hex[HASH_HEX_SIZE];
    if (!header || strncasecmp(header, "Bearer ", 7) != 0)
        return false;
    /* Hashes have one length, so the comparison tells nothing about the token. */
    hash_hex(hash_of(header + 7, strlen(header + 7)), hex);
    return sign_equal(hex, api->token_hash_hex, sizeof hex - 1);
}

/* The row that a request is for, and the rest of its path; NULL: *ret_refusal says why there is none. */
static const struct api_route *find(struct httpd_request *request, const char **ret_rest,
                                    struct httpd_refusal *ret_refusal) {
    *ret_refusal = (struct httpd_refusal){404, "no_route", "There is nothing at this address."};
    for (int i = 0; i < api_routes_n; i++) {
        *ret_rest = match(&api_routes[i], request);
        if (*ret_rest && str_eq(api_routes[i].method, request->method))
            return &api_routes[i];
        if (*ret_rest)
            *ret_refusal = (struct httpd_refusal){405, "bad_method",
                                                  "This cannot be done with what stands at this address."};
    }
    return NULL;
}

bool api_admit(void *arg, struct httpd_request *request, bool *ret_known, struct httpd_refusal *ret_refusal) {
    const char *rest;
    const struct api_route *route = find(request, &rest, ret_refusal);
    if (!route)
        return false;
    *ret_known = !route->open && is_signed_in(arg, request);
    if (route->open || *ret_known)
        return true;
    *ret_refusal =
        httpd_header(request, "Authorization")
            ? (struct httpd_refusal){401, "bad_token",
                                     "This token is not known here: was it cut, or revoked?"}
            : (struct httpd_refusal){401, "no_token", "Send the token: Authorization: Bearer TOKEN."};
    return false;
}

void api_handle(void *arg, struct httpd_request *request) {
    struct httpd_refusal refusal;
    const char *rest;
    const struct api_route *route = find(request, &rest, &refusal); /* it was admitted, so it is there */
    struct api_call call = {arg, request, rest, route->data};
    (void)fault_reach(FAULT_API_PARSED);
    route->handler(&call);
}
