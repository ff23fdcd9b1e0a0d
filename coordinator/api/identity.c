/* People sign in elsewhere: at an identity provider of the provider's own or of a customer. It says who
 * somebody is; what they may is said here, by the member that they are known as. */
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "coordinator/api/access.h"
#include "coordinator/oidc.h"
#include "sql/queries.h"

#include <stdlib.h>

#define STATE_COOKIE "__Host-fairlead-sign-in"
#define CALLBACK "/v1/sign-in/callback/"

/* ---- which provider ---- */

struct found {
    struct uuid id, customer_id;
    struct oidc_provider provider;
    const char *claim, *key;
};

/* By its key or its identity. 1; 0: there is none. */
static int find(struct api_call *call, struct pg *pg, const char *key, struct uuid id, struct found *ret,
                struct err *err) {
    struct arena *arena = &call->request->arena;
    struct pg_params params = {.arena = arena};
    void *secret;
    size_t n;
    pg_params_text(&params, key);
    pg_params_uuid(&params, id);
    cleanup_result PGresult *res = pg_run(pg, query_oidc_provider, &params, err);
    if (!res)
        return -1;
    if (PQntuples(res) == 0)
        return 0;
    if (signing_unseal(call->api->signing, PQgetvalue(res, 0, 3), (size_t)PQgetlength(res, 0, 3), arena,
                       &secret, &n, err) < 0)
        return -1;
    *ret = (struct found){
        .id = pg_uuid(res, 0, 0),
        .customer_id = pg_uuid(res, 0, 5),
        .key = arena_strdup(arena, pg_text(res, 0, 6)),
        .provider = {.issuer = arena_strdup(arena, pg_text(res, 0, 1)),
                     .client_id = arena_strdup(arena, pg_text(res, 0, 2)),
                     .secret = arena_strndup(arena, secret, n),
                     /* Of its own: what one provider sends back is never taken for another's. */
                     .redirect = arena_printf(arena, "%s" CALLBACK "%s", call->api->public_address,
                                              pg_text(res, 0, 6))},
        .claim = arena_strdup(arena, pg_text(res, 0, 4)),
    };
    return 1;
}

static const char not_there[] = "The identity provider cannot be reached just now. Try again in a minute.";

/* One that hangs is left alone for a while: others wait at the same desk. */
static const char *away(struct api_call *call, const struct found *found) {
    char id[UUID_TEXT_SIZE];
    return arena_printf(&call->request->arena, "identity provider %s is away", uuid_text(found->id, id));
}

static bool is_away(struct api_call *call, const struct found *found) {
    if (limits_look(call->api->limits, away(call, found)) == 0)
        return false;
    api_refuse(call->request, 503, "no_identity_provider", not_there);
    return true;
}

/* Why is for the log: whoever asks is a stranger still. */
static void refuse(struct api_call *call, const struct found *found, const struct err *err) {
    if (err->code[0]) {
        api_refuse_error(call->request, err);
        return;
    }
    log_warn("a sign-in at an identity provider failed", LOG_S("provider", found->key),
             LOG_S("error", err->text));
    if (err->cls != ERR_PARK)
        limits_count(call->api->limits, away(call, found), 30);
    if (err->cls == ERR_PARK)
        api_refuse(call->request, 401, "not_signed_in",
                   "What the identity provider said is not to be believed, or not to be understood: the log "
                   "here says why.");
    else
        api_refuse(call->request, 503, "no_identity_provider", not_there);
}

/* ---- there ---- */

static void begin(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    struct found found = {0};
    struct arena *arena = &call->request->arena;
    char state[OIDC_STATE_SIZE];
    const char *url = NULL;
    int rc = find(call, pg, call->rest, (struct uuid){{0}}, &found, &err);
    if (rc == 0) {
        api_refuse(call->request, 404, "not_found", "There is no such identity provider.");
        return;
    }
    if (rc > 0 && is_away(call, &found))
        return;
    if (rc > 0) {
        oidc_state_make(signing_key(call->api->signing), found.id, clock_wall_us(), state);
        rc = oidc_begin(&found.provider, signing_key(call->api->signing), state, arena, &url, &err);
    }
    if (rc < 0) {
        refuse(call, &found, &err);
        return;
    }
    /* Lax: it must come along when the provider sends the person back. */
    const char *cookie = arena_printf(
        arena, STATE_COOKIE "=%s; Path=/; Max-Age=%d; Secure; HttpOnly; SameSite=Lax", state, OIDC_STATE_S);
    api_answer_more(call->request, 303, NULL, &(struct api_more){.location = url, .cookie = cookie});
}

void sign_in_begin(struct api_call *call) {
    api_at_outside(call, begin);
}

/* ---- and back ---- */

struct back {
    const char *state, *code;
    const char *issuer; /* as it says of itself, NULL: it does not */
    struct uuid provider;
};

static int member_of(struct api_call *call, struct pg *pg, const struct found *found, const json_t *claims,
                     struct access_person *ret, struct err *err) {
    struct pg_params params = {.arena = &call->request->arena};
    pg_params_uuid(&params, found->id);
    pg_params_text(&params, json_str(claims, "sub"));
    pg_params_text(&params, json_str(claims, found->claim));
    cleanup_result PGresult *res = pg_run(pg, query_oidc_member, &params, err);
    if (!res)
        return -1;
    if (PQntuples(res))
        *ret = (struct access_person){pg_uuid(res, 0, 0), pg_uuid(res, 0, 1),
                                      arena_strdup(&call->request->arena, pg_text(res, 0, 2))};
    return PQntuples(res);
}

static void end(struct api_call *call, struct pg *pg) {
    const struct back *back = call->request->owner;
    struct err err = {0};
    struct found found = {0};
    struct access_person person = {0};
    json_t *claims = NULL;
    int rc = find(call, pg, NULL, back->provider, &found, &err);
    if (rc == 0)
        rc = err_set(&err, ERR_PARK, "The identity provider is known here no more.");
    if (rc > 0 &&
        (!str_eq(found.key, call->rest) || (back->issuer && !str_eq(back->issuer, found.provider.issuer))))
        rc =
            err_set(&err, ERR_PARK, "Another identity provider sent you back than the one that you went to.");
    if (rc > 0)
        rc = oidc_end(&found.provider, signing_key(call->api->signing), back->state, back->code,
                      clock_wall_us(), &call->request->arena, &claims, &err);
    if (rc == 0)
        rc = member_of(call, pg, &found, claims, &person, &err);
    if (rc > 0) {
        access_open_session(call, pg, &person, true);
    } else if (rc < 0) {
        refuse(call, &found, &err);
    } else {
        person.customer_id = found.customer_id;
        if (access_note_sign_in(call, pg, &person, (struct uuid){{0}}, 401, &err) < 0)
            api_refuse_error(call->request, &err);
        else
            api_refuse(call->request, 401, "no_member",
                       "You are known there, but as nobody here. Whoever may add members can make you one, "
                       "under the name that you have "
                       "there, and without a password.");
    }
    json_decref(claims);
}

void sign_in_end(struct api_call *call) {
    struct httpd_request *request = call->request;
    struct back *back = arena_new(&request->arena, struct back);
    const char *state = httpd_query(request, "state"), *code = httpd_query(request, "code");
    const char *begun = httpd_cookie(request, STATE_COOKIE), *refused = httpd_query(request, "error");
    /* It began in this very browser: nobody is signed in as somebody else by a link. */
    if (!state || !begun || !str_eq(state, begun) ||
        !oidc_state_read(signing_key(call->api->signing), state, clock_wall_us(), &back->provider)) {
        api_refuse(request, 401, "bad_state",
                   "This sign-in did not begin here, or more than ten minutes ago. Begin again.");
        return;
    }
    if (!code) {
        api_refuse(request, 401, "not_signed_in",
                   arena_printf(&request->arena, "The identity provider refused: %.100s",
                                refused ? refused : "no code"));
        return;
    }
    back->state = arena_strdup(&request->arena, state);
    back->code = arena_strdup(&request->arena, code);
    back->issuer = arena_strdup(&request->arena, httpd_query(request, "iss"));
    request->owner = back;
    api_at_outside(call, end);
}

/* ---- made ---- */

struct making {
    const char *text; /* the body, without the secret */
    const void *box;
    size_t box_n;
};

static int create(struct api_call *call, struct pg *pg, void *data, struct uuid seed, struct api_done *ret,
                  struct err *err) {
    const struct making *making = data;
    struct arena *arena = &call->request->arena;
    struct pg_params params = {.arena = arena}, get = {.arena = arena};
    pg_params_uuid(&params, seed);
    pg_params_text(&params, making->text);
    pg_params_bytes(&params, making->box, making->box_n);
    pg_params_uuid(&get, seed);
    cleanup_result PGresult *made = pg_run(pg, query_identity_providers_insert, &params, err);
    cleanup_result PGresult *shown = made ? pg_run(pg, query_identity_provider_shown, &get, err) : NULL;
    if (!shown)
        return -1;
    if (PQntuples(made) == 0)
        api_done_refusal(call, ret, 422, "unknown_customer", "There is no such customer.");
    else if (PQntuples(shown) == 0)
        api_done_refusal(call, ret, 409, "exists", "There is an identity provider of that name already.");
    else
        *ret = (struct api_done){.status = 201,
                                 .body = arena_strdup(arena, pg_text(shown, 0, 1)),
                                 .location =
                                     arena_printf(arena, "/v1/identity-providers/%s", pg_text(shown, 0, 0)),
                                 .customer_id = pg_uuid(made, 0, 0)};
    return 0;
}

void identity_provider_create(struct api_call *call) {
    static const struct api_once once = {.kind = "record", .work = create};
    struct arena *arena = &call->request->arena;
    struct making *making = arena_new(arena, struct making);
    cleanup_json json_t *body = api_body(call);
    if (!body)
        return;
    const char *secret = json_str(body, "client_secret");
    making->box = sign_seal(signing_key(call->api->signing)->seal_public, secret, strlen(secret), arena,
                            &making->box_n);
    (void)json_object_del(body, "client_secret");
    cleanup_free char *text = json_text(body);
    making->text = arena_strdup(arena, text);
    api_once(call, &once, making);
}
