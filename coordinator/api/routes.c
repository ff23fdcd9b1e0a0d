/* Who answers which route (model/routes.def): to add an endpoint, a row there, a handler in a file of its
 * resource, and a line here. */
#include "base/fault.h"
#include "coordinator/api/api.h"

static const enum intent_kind stop = INTENT_STOP, start = INTENT_START, retry = INTENT_RETRY,
                              extend = INTENT_EXTEND, delete = INTENT_DELETE, forget = INTENT_FORGET;

const struct api_handler api_handlers[ROUTE_COUNT] = {
    [ROUTE_HEALTH] = {health_get, NULL},
    [ROUTE_READY] = {ready_get, NULL},
    [ROUTE_AUTHORITY] = {authority_get, NULL},
    [ROUTE_ENROL] = {node_enrol, NULL},
    [ROUTE_RENEW_CHALLENGE] = {renew_challenge, NULL},
    [ROUTE_RENEW] = {node_renew_certificate, NULL},
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
    [ROUTE_NODE_LABELS] = {node_labels, NULL},
    [ROUTE_NODE_REVOKE] = {node_revoke, NULL},
    [ROUTE_NODE_ADDRESS] = {node_address, NULL},
    [ROUTE_NODE_BUNDLE] = {node_bundle, NULL},
    [ROUTE_NODE_REPORTS] = {node_reports, NULL},
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
    [ROUTE_IMAGE_ADMIT] = {image_admit, NULL},
    [ROUTE_IMAGES_PRUNED] = {images_pruned, NULL},
    [ROUTE_KEY_SETS_LIST] = {record_list, &record_key_sets},
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
    [ROUTE_INSTANCE_FORGET] = {instance_intent, &forget},
    [ROUTE_INSTANCE_EXTEND] = {instance_intent, &extend},
    [ROUTE_INSTANCE_STEPS] = {instance_steps, NULL},
    [ROUTE_INSTANCE_PROVENANCE] = {instance_provenance, NULL},
    [ROUTE_INSTANCE_EVENTS] = {instance_events, NULL},
    [ROUTE_CREDENTIALS_GET] = {credentials_get, NULL},
    [ROUTE_CREDENTIALS_CONFIRM] = {credentials_confirm, NULL},
    [ROUTE_ME_GET] = {me_get, NULL},
    [ROUTE_ROLES_LIST] = {record_list, &record_roles},
    [ROUTE_ROLE_GET] = {record_get, &record_roles},
    [ROUTE_MEMBERS_LIST] = {record_list, &record_members},
    [ROUTE_MEMBER_GET] = {record_get, &record_members},
    [ROUTE_MEMBER_CREATE] = {member_create, NULL},
    [ROUTE_MEMBER_ROLE] = {member_role, NULL},
    [ROUTE_MEMBER_DELETE] = {member_delete, NULL},
    [ROUTE_TOKENS_LIST] = {token_list, NULL},
    [ROUTE_TOKEN_CREATE] = {token_create, NULL},
    [ROUTE_TOKEN_ROTATE] = {token_rotate, NULL},
    [ROUTE_TOKEN_REVOKE] = {token_revoke, NULL},
    [ROUTE_MEMBER_INVITE] = {member_invite, NULL},
    [ROUTE_PASSWORD_SET] = {password_set, NULL},
    [ROUTE_SESSION_CREATE] = {session_create, NULL},
    [ROUTE_SESSION_END] = {session_end, NULL},
    [ROUTE_SIGN_IN_BEGIN] = {sign_in_begin, NULL},
    [ROUTE_SIGN_IN_END] = {sign_in_end, NULL},
    [ROUTE_IDENTITY_PROVIDERS_LIST] = {record_list, &record_identity_providers},
    [ROUTE_IDENTITY_PROVIDER_GET] = {record_get, &record_identity_providers},
    [ROUTE_IDENTITY_PROVIDER_CREATE] = {identity_provider_create, NULL},
    [ROUTE_IDENTITY_PROVIDER_DELETE] = {record_delete, &record_identity_providers},
    [ROUTE_ME_PASSWORD] = {me_password, NULL},
    [ROUTE_ME_FACTOR] = {me_factor, NULL},
    [ROUTE_ME_FACTOR_CONFIRM] = {me_factor_confirm, NULL},
    [ROUTE_ME_FACTOR_OFF] = {me_factor_off, NULL},
    [ROUTE_AUDIT_LIST] = {audit_list, NULL},
    [ROUTE_AUDIT_VERIFY] = {audit_verify_get, NULL},
};

/* A body where none is wanted is another request's, or somebody hopes for what is not there: also where no
 * handler would look. */
static bool says_no_more_than_may_be(struct api_call *call) {
    const struct schema_field *fields = call->route->body;
    if (!fields || fields->name || !call->request->body_n)
        return true;
    cleanup_json json_t *body = api_body(call);
    return body != NULL;
}

void api_handle(void *arg, struct httpd_request *request) {
    const struct admitted *admitted = request->admitted;
    const struct route_row *route = &route_rows[admitted->handler - api_handlers];
    const char *rest;
    size_t n;
    (void)route_matches(route, request->path, &rest, &n);
    struct api_call call = {.api = arg,
                            .request = request,
                            .route = route,
                            .principal = admitted->principal,
                            .address = admitted->address,
                            .rest = arena_strndup(&request->arena, rest, n),
                            .data = admitted->handler->data};
    (void)fault_reach(FAULT_API_PARSED);
    if (says_no_more_than_may_be(&call))
        admitted->handler->handle(&call);
}
