/* Tokens: made, listed, rotated, revoked. One is shown once, and stored as a hash: nobody but us can make it,
 * and we can make it again for whoever sends the same request again. */
#include "base/str.h"
#include "coordinator/api/access.h"
#include "sql/queries.h"

void access_token_text(const struct api *api, struct uuid request, char out[TOKEN_TEXT_SIZE]) {
    uint8_t signature[SIGN_SIZE];
    sign_make(signing_key(api->signing), "fairlead.token.v1", request.b, sizeof request.b, signature);
    token_text(hash_of(signature, sizeof signature).b, out);
}

/* ---- list ---- */

static void list(struct api_call *call, struct pg *pg) {
    const struct uuid *after = call->request->owner;
    struct err err = {0};
    const int limit = 100;
    struct pg_params params = {.arena = &call->request->arena};
    pg_params_uuid(&params, *after);
    pg_params_bool(&params, call->principal->scopes & 1u << SCOPE_ACCESS_READ);
    pg_params_uuid(&params, call->principal->id);
    pg_params_int(&params, limit + 1);
    cleanup_result PGresult *res = pg_run(pg, query_tokens_list, &params, &err);
    if (res)
        api_answer_page(call, res, limit);
    else
        api_refuse_error(call->request, &err);
}

void token_list(struct api_call *call) {
    struct uuid *after = arena_new(&call->request->arena, struct uuid);
    const char *cursor = httpd_query(call->request, "after");
    if (cursor && *cursor && !uuid_parse(cursor, after)) {
        api_refuse_cursor(call);
        return;
    }
    call->request->owner = after;
    api_read(call, list);
}

/* ---- make ---- */

struct wanted {
    const char *name, *member; /* member NULL: one's own */
    unsigned scopes;           /* 0: all that its member may */
    int64_t days, overlap_minutes;
};

/* Bits as "a,b"; NULL: all of `role`, as it may become. */
static const char *names_of(struct arena *arena, unsigned bits, unsigned role) {
    cleanup_str struct str out = STR_INIT(1000);
    for (int i = 0; i < SCOPE_COUNT && bits != role; i++)
        if (bits & 1u << i)
            str_addf(&out, "%s%s", out.n ? "," : "", scope_rows[i].name);
    return bits == role ? NULL : arena_strdup(arena, str_text(&out));
}

/* A token of `member` by the request's identity; the body of its answer, without the token itself. */
static int make(struct api_call *call, struct pg *pg, struct uuid seed, struct uuid member, const char *name,
                const char *scopes, int64_t days, struct api_done *ret, struct err *err) {
    struct arena *arena = &call->request->arena;
    struct pg_params params = {.arena = arena}, get = {.arena = arena};
    char text[TOKEN_TEXT_SIZE];
    access_token_text(call->api, seed, text);
    struct hash hash = hash_of(text, strlen(text));
    pg_params_uuid(&params, seed);
    pg_params_uuid(&params, member);
    pg_params_bytes(&params, hash.b, sizeof hash.b);
    pg_params_text(&params, arena_printf(arena, "%.*s", TOKEN_HINT_SIZE - 1, text));
    pg_params_text(&params, name);
    pg_params_text(&params, scopes);
    pg_params_int(&params, days);
    pg_params_time(&params, call->principal->is_session ? 0 : call->principal->expires_at);
    pg_params_uuid(&get, seed);
    cleanup_result PGresult *made = pg_run(pg, query_token_insert, &params, err);
    cleanup_result PGresult *shown = made ? pg_run(pg, query_token_get, &get, err) : NULL;
    if (!shown)
        return -1;
    ret->status = 201;
    ret->body = arena_strdup(arena, pg_text(shown, 0, 0));
    return 0;
}

/* Adds what is shown once. */
static char *add_token(struct api_call *call, struct uuid request, const char *kept) {
    char text[TOKEN_TEXT_SIZE];
    cleanup_json json_t *body = json_loads(kept, 0, NULL);
    access_token_text(call->api, request, text);
    (void)json_object_set_new(body, "token", json_string(text));
    return json_text(body);
}

/* Whoever is given it may use it at once. */
static void made(struct api_call *call, struct uuid request) {
    access_await(call->api->access, request);
}

static int create_own(struct api_call *call, struct pg *pg, const struct wanted *wanted, struct uuid seed,
                      struct api_done *ret, struct err *err) {
    unsigned scopes = wanted->scopes ? wanted->scopes : call->principal->scopes;
    struct pg_params params = {.arena = &call->request->arena};
    if (!access_may_give(call, scopes, ret))
        return 0;
    pg_params_text(&params, call->principal->role);
    cleanup_result PGresult *role = pg_run(pg, query_role_scopes, &params, err);
    if (!role)
        return -1;
    unsigned whole = PQntuples(role) ? scope_bits(pg_text(role, 0, 1)) : 0;
    return make(call, pg, seed, call->principal->id, wanted->name,
                names_of(&call->request->arena, scopes, whole), wanted->days, ret, err);
}

static int create_for(struct api_call *call, struct pg *pg, const struct wanted *wanted, struct uuid seed,
                      struct api_done *ret, struct err *err) {
    struct arena *arena = &call->request->arena;
    struct pg_params params = {.arena = arena};
    pg_params_text(&params, strchr(wanted->member, '/') ? wanted->member
                                                        : arena_printf(arena, "-/%s", wanted->member));
    cleanup_result PGresult *found = pg_run(pg, query_token_member, &params, err);
    if (!found)
        return -1;
    if (PQntuples(found) == 0 || !reach_holds(&call->principal->reach, pg_uuid(found, 0, 1),
                                              pg_uuid(found, 0, 2), pg_uuid(found, 0, 3))) {
        api_done_refusal(call, ret, 422, "unknown_member",
                         arena_printf(arena, "There is no member \"%s\".", wanted->member));
        return 0;
    }
    unsigned whole = scope_bits(pg_text(found, 0, 4)),
             scopes = wanted->scopes ? wanted->scopes & whole : whole;
    if (!access_may_give(call, 1u << SCOPE_ACCESS_WRITE, ret) || !access_may_give(call, scopes, ret))
        return 0;
    ret->customer_id = pg_uuid(found, 0, 1);
    return make(call, pg, seed, pg_uuid(found, 0, 0), wanted->name, names_of(arena, scopes, whole),
                wanted->days, ret, err);
}

static int create(struct api_call *call, struct pg *pg, void *data, struct uuid seed, struct api_done *ret,
                  struct err *err) {
    const struct wanted *wanted = data;
    bool own = !wanted->member || str_eq(wanted->member, call->principal->name);
    return own ? create_own(call, pg, wanted, seed, ret, err) : create_for(call, pg, wanted, seed, ret, err);
}

void token_create(struct api_call *call) {
    static const struct api_once once = {
        .kind = "token", .work = create, .stored = made, .reveal = add_token};
    struct arena *arena = &call->request->arena;
    struct wanted *wanted = arena_new(arena, struct wanted);
    cleanup_json json_t *body = api_body(call);
    json_t *scope;
    size_t i;
    if (!body)
        return;
    *wanted = (struct wanted){.name = arena_strdup(arena, json_str(body, "name")),
                              .member = arena_strdup(arena, json_str(body, "member")),
                              .days = json_int(body, "days", 365)};
    json_array_foreach(json_object_get(body, "scopes"), i, scope) wanted->scopes |=
        scope_bits(json_string_value(scope));
    api_once(call, &once, wanted);
}

/* ---- rotate, revoke ---- */

/* The token, if it is one's own or within reach with access.write: 1. 0: refused. */
static int find(struct api_call *call, struct pg *pg, PGresult **ret_found, struct api_done *ret,
                struct err *err) {
    struct pg_params params = {.arena = &call->request->arena};
    const struct principal *me = call->principal;
    struct uuid id = {{0}};
    (void)uuid_parse(call->rest, &id);
    pg_params_uuid(&params, id);
    PGresult *found = *ret_found = pg_run(pg, query_token_find, &params, err);
    if (!found)
        return -1;
    bool own = PQntuples(found) && uuid_eq(pg_uuid(found, 0, 0), me->id);
    bool others = PQntuples(found) && me->scopes & 1u << SCOPE_ACCESS_WRITE &&
                  reach_holds(&me->reach, pg_uuid(found, 0, 1), pg_uuid(found, 0, 2), pg_uuid(found, 0, 3));
    if (own || others) {
        ret->customer_id = pg_uuid(found, 0, 1);
        ret->before = arena_strdup(&call->request->arena, pg_text(found, 0, 7));
        return 1;
    }
    api_done_refusal(call, ret, 404, "not_found", "There is no such token.");
    return 0;
}

static unsigned scopes_of(PGresult *found) {
    unsigned role = scope_bits(pg_text(found, 0, 4));
    return PQgetisnull(found, 0, 5) ? role : role & scope_bits(pg_text(found, 0, 5));
}

static int end(struct api_call *call, struct pg *pg, struct uuid id, int64_t minutes, struct err *err) {
    struct pg_params params = {.arena = &call->request->arena};
    pg_params_uuid(&params, id);
    pg_params_int(&params, minutes);
    PGresult *ended = pg_run(pg, query_token_end, &params, err);
    PQclear(ended);
    return ended ? 0 : -1;
}

static int rotate(struct api_call *call, struct pg *pg, void *data, struct uuid seed, struct api_done *ret,
                  struct err *err) {
    const struct wanted *wanted = data;
    struct uuid id;
    cleanup_result PGresult *found = NULL;
    int rc = find(call, pg, &found, ret, err);
    if (rc <= 0)
        return rc;
    if (!access_may_give(call, scopes_of(found), ret))
        return 0;
    (void)uuid_parse(call->rest, &id);
    if (end(call, pg, id, wanted->overlap_minutes, err) < 0)
        return -1;
    return make(call, pg, seed, pg_uuid(found, 0, 0),
                arena_strdup(&call->request->arena, pg_text(found, 0, 6)), pg_text(found, 0, 5), wanted->days,
                ret, err);
}

void token_rotate(struct api_call *call) {
    static const struct api_once once = {
        .kind = "token", .work = rotate, .stored = made, .reveal = add_token};
    struct wanted *wanted = arena_new(&call->request->arena, struct wanted);
    cleanup_json json_t *body = api_body(call);
    if (!body)
        return;
    wanted->days = json_int(body, "days", 365);
    wanted->overlap_minutes = json_int(body, "overlap_minutes", 60);
    api_once(call, &once, wanted);
}

static int revoke(struct api_call *call, struct pg *pg, void *data, struct uuid seed, struct api_done *ret,
                  struct err *err) {
    struct uuid id;
    (void)data, (void)seed;
    cleanup_result PGresult *found = NULL;
    int rc = find(call, pg, &found, ret, err);
    if (rc <= 0)
        return rc;
    (void)uuid_parse(call->rest, &id);
    if (!uuid_eq(id, call->principal->credential_id) && !access_may_give(call, scopes_of(found), ret))
        return 0;
    if (pg_bool(found, 0, 8) && scopes_of(found) & 1u << SCOPE_ACCESS_WRITE) {
        api_done_refusal(
            call, ret, 409, "last_way_in",
            "This is the last token by which the provider's access can be changed. Make another one first.");
        return 0;
    }
    ret->status = 204;
    return end(call, pg, id, 0, err);
}

void token_revoke(struct api_call *call) {
    static const struct api_once once = {.kind = "delete", .work = revoke};
    cleanup_json json_t *body = api_body(call);
    if (body)
        api_once(call, &once, NULL);
}
