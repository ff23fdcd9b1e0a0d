/* Members: people and programs that may ask, with a role each. Nobody gives more than they have, or to
 * somebody beyond their reach; what they do not reach is not there. */
#include "base/str.h"
#include "coordinator/api/access.h"
#include "sql/queries.h"

bool access_may_give(const struct api_call *call, unsigned scopes, struct api_done *ret) {
    unsigned more = scopes & ~call->principal->scopes;
    if (!more)
        return true;
    int scope = 0;
    while (!(more & 1u << scope))
        scope++;
    api_done_refusal(call, ret, 403, "more_than_own",
                     arena_printf(&call->request->arena,
                                  "Nobody gives more than they have: %s is not among what this token may.",
                                  scope_rows[scope].name));
    return false;
}

/* ---- me ---- */

static void get_me(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    const struct principal *me = call->principal;
    struct pg_params params = {.arena = &call->request->arena};
    char id[UUID_TEXT_SIZE];
    pg_params_text(&params, access_member_key(&call->request->arena, me->name));
    cleanup_result PGresult *res = pg_run(pg, query_members_get, &params, &err);
    if (!res || PQntuples(res) == 0) {
        if (res)
            api_refuse(call->request, 401, "bad_token", "Whose token this was is gone.");
        else
            api_refuse_error(call->request, &err);
        return;
    }
    cleanup_json json_t *row = json_loads(pg_text(res, 0, 1), 0, NULL);
    cleanup_json json_t *scopes = json_array();
    for (int i = 0; i < SCOPE_COUNT; i++)
        if (me->scopes & 1u << i)
            (void)json_array_append_new(scopes, json_string(scope_rows[i].name));
    cleanup_json json_t *body =
        json_pack("{s:O, s:O, s:O, s:O, s:O, s:O, s:s, s:s?}", "member", json_object_get(row, "member"),
                  "role", json_object_get(row, "role"), "customer", json_object_get(row, "customer"),
                  "tenant", json_object_get(row, "tenant"), "plane", json_object_get(row, "plane"), "scopes",
                  scopes, "token", uuid_text(me->credential_id, id), "csrf", me->csrf);
    api_answer(call->request, 200, json_text(body));
}

void me_get(struct api_call *call) {
    api_read(call, get_me);
}

/* ---- create ---- */

static bool is_named(const json_t *body, const char *key) {
    return json_object_get(body, key) != NULL;
}

static int refuse_parent(struct api_call *call, struct api_done *ret, const char *code, const char *what,
                         const char *name) {
    api_done_refusal(call, ret, 422, code,
                     arena_printf(&call->request->arena, "There is no %s \"%s\".", what, name ? name : ""));
    return 0;
}

/* Does what the body names exist, within reach? 0: refused. */
static int judge(struct api_call *call, const json_t *body, PGresult *found, struct api_done *ret) {
    const struct reach *reach = &call->principal->reach;
    struct uuid customer = pg_uuid(found, 0, 0), tenant = pg_uuid(found, 0, 1), plane = pg_uuid(found, 0, 2);
    const char *side = pg_text(found, 0, 3);
    /* Whatever there is of that name: who is limited learns nothing of it. */
    if (is_named(body, "plane") && (is_named(body, "customer") || !uuid_is_nil(reach->customer_id))) {
        api_done_refusal(call, ret, 422, "bad_body",
                         "customer and plane: one of them. A plane limits operators.");
        return 0;
    }
    if (is_named(body, "customer") &&
        (uuid_is_nil(customer) || !uuid_is_nil(reach->plane_id) ||
         (!uuid_is_nil(reach->customer_id) && !uuid_eq(reach->customer_id, customer))))
        return refuse_parent(call, ret, "unknown_customer", "customer", json_str(body, "customer"));
    if ((is_named(body, "tenant") && uuid_is_nil(tenant)) ||
        (!uuid_is_nil(reach->tenant_id) && !uuid_eq(reach->tenant_id, tenant)))
        return refuse_parent(call, ret, "unknown_tenant", "tenant", json_str(body, "tenant"));
    if ((is_named(body, "plane") && uuid_is_nil(plane)) ||
        (!uuid_is_nil(reach->plane_id) && (!uuid_eq(reach->plane_id, plane) || !uuid_is_nil(customer))))
        return refuse_parent(call, ret, "unknown_plane", "plane", json_str(body, "plane"));
    if (!side || str_eq(side, "customer") != !uuid_is_nil(customer)) {
        api_done_refusal(call, ret, 422, "unknown_role",
                         arena_printf(&call->request->arena, "There is no role \"%s\" for members of %s.",
                                      json_str(body, "role"),
                                      uuid_is_nil(customer) ? "the provider" : "a customer"));
        return 0;
    }
    return access_may_give(call, scope_bits(pg_text(found, 0, 4)), ret);
}

static int create(struct api_call *call, struct pg *pg, void *data, struct uuid seed, struct api_done *ret,
                  struct err *err) {
    struct arena *arena = &call->request->arena;
    const struct reach *reach = &call->principal->reach;
    struct pg_params context = {.arena = arena}, params = {.arena = arena}, get = {.arena = arena};
    cleanup_json json_t *body = json_loads(data, 0, NULL);
    pg_params_text(&context, data);
    pg_params_uuid(&context, reach->customer_id);
    pg_params_uuid(&context, reach->tenant_id);
    pg_params_uuid(&context, reach->plane_id);
    cleanup_result PGresult *found = pg_run(pg, query_member_context, &context, err);
    if (!found)
        return -1;
    if (!judge(call, body, found, ret))
        return 0;
    pg_params_uuid(&params, uuid_derive(seed, 1));
    pg_params_text(&params, data);
    for (int i = 0; i < 3; i++)
        pg_params_uuid_or_null(&params, pg_uuid(found, 0, i));
    cleanup_result PGresult *made = pg_run(pg, query_members_create, &params, err);
    if (!made)
        return -1;
    if (PQntuples(made) == 0) {
        api_done_refusal(call, ret, 409, "exists",
                         arena_printf(arena, "There is a member \"%s\" already.", json_str(body, "name")));
        return 0;
    }
    pg_params_uuid(&get, uuid_derive(seed, 1));
    cleanup_result PGresult *shown = pg_run(pg, query_member_shown, &get, err);
    if (!shown)
        return -1;
    *ret = (struct api_done){.status = 201,
                             .body = arena_strdup(arena, pg_text(shown, 0, 1)),
                             .location = arena_printf(arena, "/v1/members/%s", pg_text(shown, 0, 0)),
                             .customer_id = pg_uuid(found, 0, 0)};
    return 0;
}

void member_create(struct api_call *call) {
    static const struct api_once once = {.kind = "record", .work = create};
    cleanup_json json_t *body = api_body(call);
    if (!body)
        return;
    cleanup_free char *text = json_text(body);
    api_once(call, &once, arena_strdup(&call->request->arena, text));
}

/* ---- change and delete ---- */

/* The member, within reach and not above who asks: 1. 0: refused. */
static int find(struct api_call *call, struct pg *pg, PGresult **ret_found, struct api_done *ret,
                struct err *err) {
    struct pg_params params = {.arena = &call->request->arena};
    pg_params_text(&params, call->rest);
    PGresult *found = *ret_found = pg_run(pg, query_member_find, &params, err);
    if (!found)
        return -1;
    if (PQntuples(found) == 0 || !reach_holds(&call->principal->reach, pg_uuid(found, 0, 1),
                                              pg_uuid(found, 0, 2), pg_uuid(found, 0, 3))) {
        api_done_refusal(call, ret, 404, "not_found",
                         arena_printf(&call->request->arena, "There is no member \"%.80s\".", call->rest));
        return 0;
    }
    return access_may_give(call, scope_bits(pg_text(found, 0, 4)), ret);
}

/* ---- a code to choose a password with ---- */

#define CODE_SIZE 16

static void code_of(const struct api *api, struct uuid request, char out[2 * CODE_SIZE + 1]) {
    uint8_t signature[SIGN_SIZE];
    sign_make(signing_key(api->signing), "fairlead.password.v1", request.b, sizeof request.b, signature);
    hex_encode(out, hash_of(signature, sizeof signature).b, CODE_SIZE);
}

static int invite(struct api_call *call, struct pg *pg, void *data, struct uuid seed, struct api_done *ret,
                  struct err *err) {
    struct arena *arena = &call->request->arena;
    struct pg_params params = {.arena = arena};
    char code[2 * CODE_SIZE + 1];
    (void)data;
    cleanup_result PGresult *found = NULL;
    int rc = find(call, pg, &found, ret, err);
    if (rc <= 0)
        return rc;
    code_of(call->api, seed, code);
    struct hash hash = hash_of(code, strlen(code));
    pg_params_uuid(&params, pg_uuid(found, 0, 0));
    pg_params_bytes(&params, hash.b, sizeof hash.b);
    PGresult *stored = pg_run(pg, query_password_invite, &params, err);
    PQclear(stored);
    cleanup_json json_t *row = json_loads(pg_text(found, 0, 5), 0, NULL);
    cleanup_json json_t *body =
        json_pack("{s:O, s:i}", "member", json_object_get(row, "member"), "valid_s", 86400);
    cleanup_free char *text = json_text(body);
    *ret = (struct api_done){
        .status = 201, .body = arena_strdup(arena, text), .customer_id = pg_uuid(found, 0, 1)};
    return stored ? 0 : -1;
}

static char *add_code(struct api_call *call, struct uuid request, const char *kept) {
    char code[2 * CODE_SIZE + 1];
    cleanup_json json_t *body = json_loads(kept, 0, NULL);
    code_of(call->api, request, code);
    (void)json_object_set_new(body, "code", json_string(code));
    return json_text(body);
}

void member_invite(struct api_call *call) {
    static const struct api_once once = {.kind = "invite", .work = invite, .reveal = add_code};
    cleanup_json json_t *body = api_body(call);
    if (body)
        api_once(call, &once, NULL);
}

static bool is_last(PGresult *found) {
    return pg_bool(found, 0, 6);
}

static void refuse_last(struct api_call *call, struct api_done *ret) {
    api_done_refusal(call, ret, 409, "last_administrator",
                     arena_printf(&call->request->arena,
                                  "\"%s\" is the last that may say who may. Give another such a role first.",
                                  call->rest));
}

static int change_role(struct api_call *call, struct pg *pg, void *data, struct uuid seed,
                       struct api_done *ret, struct err *err) {
    struct arena *arena = &call->request->arena;
    struct pg_params role_params = {.arena = arena}, params = {.arena = arena}, get = {.arena = arena};
    (void)seed;
    cleanup_result PGresult *found = NULL;
    int rc = find(call, pg, &found, ret, err);
    if (rc <= 0)
        return rc;
    pg_params_text(&role_params, data);
    cleanup_result PGresult *role = pg_run(pg, query_role_scopes, &role_params, err);
    if (!role)
        return -1;
    bool of_customer = !uuid_is_nil(pg_uuid(found, 0, 1));
    if (PQntuples(role) == 0 || str_eq(pg_text(role, 0, 0), "customer") != of_customer) {
        api_done_refusal(call, ret, 422, "unknown_role",
                         arena_printf(arena, "There is no role \"%s\" for members of %s.", (const char *)data,
                                      of_customer ? "a customer" : "the provider"));
        return 0;
    }
    unsigned scopes = scope_bits(pg_text(role, 0, 1));
    if (!access_may_give(call, scopes, ret))
        return 0;
    if (is_last(found) && !(scopes & 1u << SCOPE_ACCESS_WRITE)) {
        refuse_last(call, ret);
        return 0;
    }
    pg_params_uuid(&params, pg_uuid(found, 0, 0));
    pg_params_text(&params, data);
    pg_params_uuid(&get, pg_uuid(found, 0, 0));
    cleanup_result PGresult *changed = pg_run(pg, query_member_role, &params, err);
    cleanup_result PGresult *shown = changed ? pg_run(pg, query_member_shown, &get, err) : NULL;
    if (!shown)
        return -1;
    *ret = (struct api_done){.status = 200,
                             .body = arena_strdup(arena, pg_text(shown, 0, 1)),
                             .before = arena_strdup(arena, pg_text(found, 0, 5)),
                             .customer_id = pg_uuid(found, 0, 1)};
    return 0;
}

void member_role(struct api_call *call) {
    static const struct api_once once = {.kind = "record", .work = change_role};
    cleanup_json json_t *body = api_body(call);
    if (body)
        api_once(call, &once, arena_strdup(&call->request->arena, json_str(body, "role")));
}

static int delete (struct api_call *call, struct pg *pg, void *data, struct uuid seed, struct api_done *ret,
                   struct err *err) {
    struct arena *arena = &call->request->arena;
    struct pg_params params = {.arena = arena};
    (void)data, (void)seed;
    cleanup_result PGresult *found = NULL;
    int rc = find(call, pg, &found, ret, err);
    if (rc <= 0)
        return rc;
    if (is_last(found)) {
        refuse_last(call, ret);
        return 0;
    }
    pg_params_uuid(&params, pg_uuid(found, 0, 0));
    PGresult *gone = pg_run(pg, query_member_delete, &params, err);
    PQclear(gone);
    *ret = (struct api_done){.status = 204,
                             .before = arena_strdup(arena, pg_text(found, 0, 5)),
                             .customer_id = pg_uuid(found, 0, 1)};
    return gone ? 0 : -1;
}

void member_delete(struct api_call *call) {
    static const struct api_once once = {.kind = "delete", .work = delete};
    cleanup_json json_t *body = api_body(call);
    if (body)
        api_once(call, &once, NULL);
}
