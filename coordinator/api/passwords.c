/* Passwords and second factors of people: chosen with a code that was given, changed by who knows the old
 * one. As sessions.c, nothing is remembered under an Idempotency-Key. */
#include "base/str.h"
#include "coordinator/api/access.h"
#include "io/password.h"
#include "io/totp.h"
#include "sql/queries.h"

/* What was sent, in the request's arena. */
struct sent {
    const char *key, *code;
    const char *old, *password;
};

static struct sent *sent_of(struct api_call *call, const json_t *body) {
    struct arena *arena = &call->request->arena;
    struct sent *sent = arena_new(arena, struct sent);
    const char *member = json_str(body, "member");
    *sent = (struct sent){.key = member ? access_member_key(arena, member) : NULL,
                          .code = arena_strdup(arena, json_str(body, "code")),
                          .old = arena_strdup(arena, json_str(body, "old")),
                          .password = arena_strdup(arena, json_str(body, "password"))};
    return sent;
}

static void at_signs(struct api_call *call, void (*work)(struct api_call *call, struct pg *pg)) {
    cleanup_json json_t *body = api_body(call);
    if (!body)
        return;
    call->request->owner = sent_of(call, body);
    api_at_signs(call, work);
}

static int note(const struct api_call *call, struct pg *pg, struct uuid member, struct err *err) {
    struct pg_params params = {.arena = &call->request->arena};
    struct audit_row row = api_audit_row(call, 204);
    row.principal_id = member;
    audit_params(&params, &(const struct audit_row *){&row}, 1);
    PGresult *noted = pg_run(pg, query_audit_append, &params, err);
    PQclear(noted);
    return noted ? 0 : -1;
}

/* The act and its row of the audit, in the transaction that answer() ends. */
static int act(const struct api_call *call, struct pg *pg, const char *query, const struct pg_params *params,
               struct uuid member, struct err *err) {
    PGresult *done = pg_run(pg, query, params, err);
    PQclear(done);
    return done ? note(call, pg, member, err) : -1;
}

static void answer(struct api_call *call, struct pg *pg, int rc, struct err *err) {
    if (rc == 0 && pg_script(pg, "commit", err) == 0) {
        api_answer(call->request, 204, NULL);
        return;
    }
    pg_rollback(pg);
    api_refuse_error(call->request, err);
}

/* ---- with a code ---- */

static void take(struct api_call *call, struct pg *pg) {
    const struct sent *sent = call->request->owner;
    struct arena *arena = &call->request->arena;
    struct err err = {0};
    char hash[PASSWORD_HASH_SIZE];
    const char *from = arena_printf(arena, "code from %s", call->address);
    struct hash code = hash_of(sent->code, strlen(sent->code));
    struct pg_params params = {.arena = arena};
    if (limits_look(call->api->limits, from) >= 30) {
        api_refuse(call->request, 429, "too_often",
                   "Too many wrong codes came from where you are. Wait ten minutes.");
        return;
    }
    if (password_hash(sent->password, hash, &err) < 0 || pg_script(pg, "begin", &err) < 0) {
        api_refuse_error(call->request, &err);
        return;
    }
    pg_params_text(&params, sent->key);
    pg_params_bytes(&params, code.b, sizeof code.b);
    pg_params_text(&params, hash);
    cleanup_result PGresult *taken = pg_run(pg, query_password_take, &params, &err);
    if (taken && PQntuples(taken) == 0) {
        pg_rollback(pg);
        limits_count(call->api->limits, from, 600);
        api_refuse(call->request, 401, "bad_code",
                   "This code is not valid: it was used, is older than a day, or was never given.");
        return;
    }
    struct pg_params ends = {.arena = arena};
    pg_params_uuid(&ends, taken ? pg_uuid(taken, 0, 0) : (struct uuid){{0}});
    pg_params_uuid(&ends, (struct uuid){{0}});
    answer(call, pg, taken ? act(call, pg, query_sessions_end, &ends, pg_uuid(taken, 0, 0), &err) : -1, &err);
}

void password_set(struct api_call *call) {
    at_signs(call, take);
}

/* ---- by who knows the old one ---- */

/* The member's row, if that is the password (1); 0: refused. What a session can be used for without it is
 * bounded so. */
static int check(struct api_call *call, struct pg *pg, const char *password, PGresult **ret,
                 struct err *err) {
    const char *pair = arena_printf(&call->request->arena, "password of %s", call->principal->name);
    struct pg_params params = {.arena = &call->request->arena};
    pg_params_uuid(&params, call->principal->id);
    if (limits_look(call->api->limits, pair) >= 5) {
        api_refuse(call->request, 429, "too_often", "Too many wrong passwords. Wait a minute.");
        return 0;
    }
    *ret = pg_run(pg, query_password_get, &params, err);
    if (!*ret)
        return -1;
    if (PQntuples(*ret) == 1 && password_is(password, pg_text(*ret, 0, 0)))
        return 1;
    limits_count(call->api->limits, pair, 60);
    api_refuse(call->request, 403, "wrong_password", "This is not your password.");
    return 0;
}

/* The new one, without the other sessions. */
static int replace(struct api_call *call, struct pg *pg, const char *password, struct err *err) {
    char hash[PASSWORD_HASH_SIZE];
    struct pg_params params = {.arena = &call->request->arena}, ends = {.arena = &call->request->arena};
    if (password_hash(password, hash, err) < 0 || pg_script(pg, "begin", err) < 0)
        return -1;
    pg_params_uuid(&params, call->principal->id);
    pg_params_text(&params, hash);
    pg_params_uuid(&ends, call->principal->id);
    pg_params_uuid(&ends, call->principal->credential_id);
    PGresult *ended = pg_run(pg, query_sessions_end, &ends, err);
    PQclear(ended);
    return ended ? act(call, pg, query_password_change, &params, call->principal->id, err) : -1;
}

static void change_password(struct api_call *call, struct pg *pg) {
    const struct sent *sent = call->request->owner;
    struct err err = {0};
    cleanup_result PGresult *found = NULL;
    int rc = check(call, pg, sent->old, &found, &err);
    if (rc != 0)
        answer(call, pg, rc < 0 ? -1 : replace(call, pg, sent->password, &err), &err);
}

void me_password(struct api_call *call) {
    at_signs(call, change_password);
}

/* ---- a second factor ---- */

static void begin_factor(struct api_call *call, struct pg *pg) {
    const struct sent *sent = call->request->owner;
    struct arena *arena = &call->request->arena;
    struct err err = {0};
    uint8_t secret[TOTP_SECRET_SIZE];
    size_t n;
    struct pg_params params = {.arena = arena};
    cleanup_result PGresult *found = NULL;
    int rc = check(call, pg, sent->password, &found, &err);
    if (rc == 0)
        return;
    totp_make(secret);
    void *box = sign_seal(signing_key(call->api->signing)->seal_public, secret, sizeof secret, arena, &n);
    pg_params_uuid(&params, call->principal->id);
    pg_params_bytes(&params, box, n);
    cleanup_result PGresult *put = rc > 0 ? pg_run(pg, query_factor_put, &params, &err) : NULL;
    if (!put) {
        api_refuse_error(call->request, &err);
        return;
    }
    if (PQntuples(put) == 0) {
        api_refuse(call->request, 409, "exists", "There is a second factor already. Take it off first.");
        return;
    }
    const char *text = totp_text(secret, arena);
    cleanup_json json_t *body =
        json_pack("{s:s, s:s}", "secret", text, "uri",
                  arena_printf(arena, "otpauth://totp/Fairlead:%s?secret=%s&issuer=Fairlead",
                               call->principal->name, text));
    api_answer(call->request, 200, json_text(body));
}

void me_factor(struct api_call *call) {
    at_signs(call, begin_factor);
}

static void confirm_factor(struct api_call *call, struct pg *pg) {
    const struct sent *sent = call->request->owner;
    struct err err = {0};
    const char *pair = arena_printf(&call->request->arena, "factor of %s", call->principal->name);
    struct pg_params params = {.arena = &call->request->arena};
    pg_params_uuid(&params, call->principal->id);
    cleanup_result PGresult *found = pg_run(pg, query_password_get, &params, &err);
    if (!found) {
        api_refuse_error(call->request, &err);
        return;
    }
    if (PQntuples(found) == 0 || PQgetisnull(found, 0, 1) || limits_look(call->api->limits, pair) >= 5) {
        api_refuse(call->request, 409, "no_factor",
                   "There is nothing to confirm just now. Begin with POST /v1/me/factor.");
        return;
    }
    int rc = pg_script(pg, "begin", &err);
    struct bytes box = {PQgetvalue(found, 0, 1), (size_t)PQgetlength(found, 0, 1)};
    rc = rc < 0 ? -1 : access_check_code(call, pg, call->principal->id, box, sent->code, &err);
    if (rc == 0) {
        pg_rollback(pg);
        limits_count(call->api->limits, pair, 60);
        api_refuse(call->request, 422, "bad_code",
                   "This is not the code of now. Is the clock of the authenticator right?");
        return;
    }
    answer(call, pg, rc < 0 ? -1 : note(call, pg, call->principal->id, &err), &err);
}

void me_factor_confirm(struct api_call *call) {
    at_signs(call, confirm_factor);
}

static void end_factor(struct api_call *call, struct pg *pg) {
    const struct sent *sent = call->request->owner;
    struct err err = {0};
    struct pg_params params = {.arena = &call->request->arena};
    cleanup_result PGresult *found = NULL;
    int rc = check(call, pg, sent->password, &found, &err);
    if (rc == 0)
        return;
    pg_params_uuid(&params, call->principal->id);
    rc = rc > 0 ? pg_script(pg, "begin", &err) : -1;
    answer(call, pg, rc < 0 ? -1 : act(call, pg, query_factor_delete, &params, call->principal->id, &err),
           &err);
}

void me_factor_off(struct api_call *call) {
    at_signs(call, end_factor);
}
