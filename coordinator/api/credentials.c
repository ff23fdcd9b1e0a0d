/* What an app's owner must see once: sealed by the node to the coordinator's key, opened only to answer a
 * reader, gone here as soon as the reader says that it has them. */
#include "base/str.h"
#include "coordinator/api/api.h"
#include "sql/queries.h"

#include <stdlib.h>

static bool parse_id(struct api_call *call, struct uuid *ret) {
    if (uuid_parse(call->rest, ret))
        return true;
    api_refuse(call->request, 404, "not_found", "There is no such instance.");
    return false;
}

/* The plaintext is JSON and repeats whose it is: a box of another instance proves nothing here. */
static json_t *open_box(struct api_call *call, PGresult *res, int row, const char *instance_hex) {
    struct err err = {0};
    void *plain;
    size_t n;
    if (signing_unseal(call->api->signing, PQgetvalue(res, row, 1), (size_t)PQgetlength(res, row, 1),
                       &call->request->arena, &plain, &n, &err) < 0)
        return NULL;
    json_t *secret = json_loadb(plain, n, 0, NULL);
    if (secret && str_eq(json_str(secret, "instance"), instance_hex) &&
        str_eq(json_str(secret, "name"), pg_text(res, row, 0)))
        return secret;
    json_decref(secret);
    return NULL;
}

static void get(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    struct uuid id;
    char hex[UUID_HEX_SIZE];
    struct pg_params params = {.arena = &call->request->arena};
    (void)uuid_parse(call->rest, &id);
    pg_params_uuid(&params, id);
    cleanup_result PGresult *res = pg_run(pg, query_credentials_get, &params, &err);
    if (!res) {
        api_refuse_error(call->request, &err);
        return;
    }
    cleanup_json json_t *items = json_array();
    uuid_hex(id, hex);
    for (int row = 0; row < PQntuples(res); row++) {
        cleanup_json json_t *secret = open_box(call, res, row, hex);
        if (!secret)
            continue;
        (void)json_object_del(secret, "instance");
        (void)json_array_append(items, secret);
    }
    cleanup_json json_t *body = json_pack("{s:O}", "items", items);
    api_answer(call->request, 200, json_text(body));
}

/* Whose instance it is, if who asks reaches it: 1. 0: it is not there. */
static int find_owner(const struct api_call *call, struct pg *pg, struct uuid *ret_customer,
                      struct err *err) {
    struct uuid id;
    struct pg_params params = {.arena = &call->request->arena};
    (void)uuid_parse(call->rest, &id);
    pg_params_uuid(&params, id);
    cleanup_result PGresult *owner = pg_run(pg, query_credentials_owner, &params, err);
    if (!owner)
        return -1;
    if (PQntuples(owner) == 0 || !reach_holds(&call->principal->reach, pg_uuid(owner, 0, 0),
                                              pg_uuid(owner, 0, 1), pg_uuid(owner, 0, 2)))
        return 0;
    *ret_customer = pg_uuid(owner, 0, 0);
    return 1;
}

/* Before anything is shown it is told that it will be, though nothing may be left to be shown. */
static void tell_and_get(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    struct pg_params params = {.arena = &call->request->arena};
    struct audit_row row = api_audit_row(call, 200);
    int rc = find_owner(call, pg, &row.customer_id, &err);
    if (rc == 0) {
        api_refuse(call->request, 404, "not_found", "There is no such instance.");
        return;
    }
    audit_params(&params, &(const struct audit_row *){&row}, 1);
    PGresult *told = rc > 0 ? pg_run(pg, query_audit_append, &params, &err) : NULL;
    if (told)
        api_read(call, get);
    else
        api_refuse_error(call->request, &err);
    PQclear(told);
}

void credentials_get(struct api_call *call) {
    struct uuid id;
    if (parse_id(call, &id))
        api_at_desk(call, tell_and_get);
}

static int confirm(struct api_call *call, struct pg *pg, void *data, struct uuid seed, struct api_done *ret,
                   struct err *err) {
    const struct uuid *id = data;
    struct pg_params params = {.arena = &call->request->arena};
    (void)seed;
    int rc = find_owner(call, pg, &ret->customer_id, err);
    if (rc == 0)
        api_done_refusal(call, ret, 404, "not_found", "There is no such instance.");
    if (rc <= 0)
        return rc;
    pg_params_uuid(&params, *id);
    PGresult *gone = pg_run(pg, query_credentials_confirm, &params, err);
    PQclear(gone);
    ret->status = 204;
    return gone ? 0 : -1;
}

void credentials_confirm(struct api_call *call) {
    static const struct api_once once = {.kind = "credentials confirm", .work = confirm};
    struct uuid *id = arena_new(&call->request->arena, struct uuid);
    if (parse_id(call, id))
        api_once(call, &once, id);
}
