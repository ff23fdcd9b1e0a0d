/* Who answers which route (model/routes.def): to add an endpoint, a row there, a handler in a file of its
 * resource, and a line here. */
#include "base/fault.h"
#include "base/str.h"
#include "coordinator/api/api.h"

#include <stdlib.h>
#include <string.h>

static const enum intent_kind stop = INTENT_STOP, start = INTENT_START, retry = INTENT_RETRY,
                              extend = INTENT_EXTEND, delete = INTENT_DELETE;

const struct api_handler api_handlers[ROUTE_COUNT] = {
    [ROUTE_HEALTH] = {health_get, NULL},
    [ROUTE_READY] = {ready_get, NULL},
    [ROUTE_ENROL] = {node_enrol, NULL},
    [ROUTE_METRICS] = {metrics_get, NULL},
    [ROUTE_STATUS] = {status_get, NULL},
    [ROUTE_DOCTOR] = {doctor_get, NULL},
    [ROUTE_INSIDE] = {inside_get, NULL},
    [ROUTE_CLOCK] = {clock_get, NULL},
    [ROUTE_CLOCK_ACCEPT] = {clock_accept, NULL},
    [ROUTE_PLANS_LIST] = {record_list, &record_plans},
    [ROUTE_PLAN_GET] = {record_get, &record_plans},
    [ROUTE_PLAN_CREATE] = {record_create, &record_plans},
    [ROUTE_PLAN_DELETE] = {record_delete, &record_plans},
    [ROUTE_CUSTOMERS_LIST] = {record_list, &record_customers},
    [ROUTE_CUSTOMER_GET] = {record_get, &record_customers},
    [ROUTE_CUSTOMER_CREATE] = {record_create, &record_customers},
    [ROUTE_CUSTOMER_DELETE] = {record_delete, &record_customers},
    [ROUTE_TENANTS_LIST] = {record_list, &record_tenants},
    [ROUTE_TENANT_GET] = {record_get, &record_tenants},
    [ROUTE_TENANT_CREATE] = {record_create, &record_tenants},
    [ROUTE_TENANT_DELETE] = {record_delete, &record_tenants},
    [ROUTE_PLANES_LIST] = {record_list, &record_planes},
    [ROUTE_PLANE_GET] = {record_get, &record_planes},
    [ROUTE_PLANE_CREATE] = {record_create, &record_planes},
    [ROUTE_PLANE_DELETE] = {record_delete, &record_planes},
    [ROUTE_NODES_LIST] = {record_list, &record_nodes},
    [ROUTE_NODE_GET] = {node_get, NULL},
    [ROUTE_NODE_CREATE] = {record_create, &record_nodes},
    [ROUTE_NODE_DELETE] = {record_delete, &record_nodes},
    [ROUTE_NODE_INVITE] = {node_invite, NULL},
    [ROUTE_NODE_ADDRESS] = {node_address, NULL},
    [ROUTE_SIZES_LIST] = {record_list, &record_sizes},
    [ROUTE_SIZE_GET] = {record_get, &record_sizes},
    [ROUTE_SIZE_CREATE] = {record_create, &record_sizes},
    [ROUTE_SIZE_DELETE] = {record_delete, &record_sizes},
    [ROUTE_APPS_LIST] = {record_list, &record_apps},
    [ROUTE_APP_GET] = {record_get, &record_apps},
    [ROUTE_RELEASES_LIST] = {record_list, &record_releases},
    [ROUTE_RELEASE_GET] = {record_get, &record_releases},
    [ROUTE_RELEASE_CREATE] = {record_create, &record_releases},
    [ROUTE_RELEASE_WITHDRAW] = {release_withdraw, NULL},
    [ROUTE_RELEASE_OFFER] = {release_offer, NULL},
    [ROUTE_RELEASE_DEFAULT] = {release_default, NULL},
    [ROUTE_IMAGES_PRUNE] = {images_prune, NULL},
    [ROUTE_IMAGES_PRUNED] = {images_pruned, NULL},
    [ROUTE_DEAD_LETTERS_LIST] = {record_list, &record_dead_letters},
    [ROUTE_DEAD_LETTER_GET] = {record_get, &record_dead_letters},
    [ROUTE_DEAD_LETTER_DELETE] = {record_delete, &record_dead_letters},
    [ROUTE_DEAD_LETTER_RETRY] = {dead_letter_retry, NULL},
    [ROUTE_INSTANCES_LIST] = {instance_list, NULL},
    [ROUTE_INSTANCE_CREATE] = {instance_create, NULL},
    [ROUTE_INSTANCE_GET] = {instance_get, NULL},
    [ROUTE_INSTANCE_DELETE] = {instance_intent, &delete},
    [ROUTE_INSTANCE_STOP] = {instance_intent, &stop},
    [ROUTE_INSTANCE_START] = {instance_intent, &start},
    [ROUTE_INSTANCE_RETRY] = {instance_intent, &retry},
    [ROUTE_INSTANCE_EXTEND] = {instance_intent, &extend},
    [ROUTE_INSTANCE_STEPS] = {instance_steps, NULL},
    [ROUTE_INSTANCE_EVENTS] = {instance_events, NULL},
    [ROUTE_CREDENTIALS_GET] = {credentials_get, NULL},
    [ROUTE_CREDENTIALS_CONFIRM] = {credentials_confirm, NULL},
};

static bool is_signed_in(const struct api *api, struct httpd_request *request) {
    const char *header = httpd_header(request, "Authorization");
    char hex[HASH_HEX_SIZE];
    if (!header || strncasecmp(header, "Bearer ", 7) != 0)
        return false;
    /* Hashes have one length, so the comparison tells nothing about the token. */
    hash_hex(hash_of(header + 7, strlen(header + 7)), hex);
    return sign_equal(hex, api->token_hash_hex, sizeof hex - 1);
}

/* The row that a request is for; NULL: *ret_refusal says why there is none. */
static const struct route_row *find(const struct httpd_request *request, struct httpd_refusal *ret_refusal) {
    const char *rest;
    size_t n;
    *ret_refusal = (struct httpd_refusal){404, "no_route", "There is nothing at this address."};
    for (int i = 0; i < ROUTE_COUNT; i++) {
        bool here = route_matches(&route_rows[i], request->path, &rest, &n);
        if (here && str_eq(route_rows[i].method, request->method))
            return &route_rows[i];
        if (here)
            *ret_refusal = (struct httpd_refusal){405, "bad_method",
                                                  "This cannot be done with what stands at this address."};
    }
    return NULL;
}

static void add_part(void *arg, const char *name, const char *value) {
    (void)json_object_set_new(arg, name, json_string(value)); /* what is no text was refused before */
}

/* What a query says is known to its route: a filter that is mistyped would find everything. */
static bool fits(const struct route_row *route, struct httpd_request *request,
                 struct httpd_refusal *ret_refusal) {
    static const struct schema_field none[] = {{0}};
    struct err err = {0};
    cleanup_json json_t *query = json_object();
    httpd_each_query(request, add_part, query);
    if (json_object_size(query) == 0 ||
        schema_check(query, route->query ? route->query : none, SCHEMA_TEXT, &err) == 0)
        return true;
    *ret_refusal =
        (struct httpd_refusal){400, "bad_query", arena_printf(&request->arena, "In the query, %s", err.text)};
    return false;
}

bool api_admit(void *arg, struct httpd_request *request, bool *ret_known, struct httpd_refusal *ret_refusal) {
    const struct route_row *route = find(request, ret_refusal);
    if (!route)
        return false;
    *ret_known = route->who != WHO_ANYBODY && is_signed_in(arg, request);
    if (route->who == WHO_ANYBODY || *ret_known) {
        request->admitted = &api_handlers[route - route_rows];
        return fits(route, request, ret_refusal);
    }
    *ret_refusal =
        httpd_header(request, "Authorization")
            ? (struct httpd_refusal){401, "bad_token",
                                     "This token is not known here: was it cut, or revoked?"}
            : (struct httpd_refusal){401, "no_token", "Send the token: Authorization: Bearer TOKEN."};
    return false;
}

void api_handle(void *arg, struct httpd_request *request) {
    const struct api_handler *handler = request->admitted;
    const struct route_row *route = &route_rows[handler - api_handlers];
    const char *rest;
    size_t n;
    (void)route_matches(route, request->path, &rest, &n);
    struct api_call call = {arg, request, route, arena_strndup(&request->arena, rest, n), handler->data};
    (void)fault_reach(FAULT_API_PARSED);
    handler->handle(&call);
}
