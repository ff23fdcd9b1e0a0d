/* People sign in: a password and, once they have set one up, a code of their authenticator; then they have a
 * session, by a cookie or as a token. Guessing is slow: by who is asked for and from where, and by where
 * alone, so that nobody is locked out by another. Nothing of this is remembered under an Idempotency-Key: a
 * fingerprint of a password would stand there. */
#include "base/clock.h"
#include "base/metrics.h"
#include "base/str.h"
#include "coordinator/api/access.h"
#include "io/password.h"
#include "io/totp.h"
#include "sql/queries.h"

#include <arpa/inet.h>

#define SESSION_HOURS 12
#define PAIR_MAX 5 /* wrong ones for one member from one address in a minute */
#define PAIR_S 60
#define ADDRESS_MAX 30 /* wrong ones from one address in ten minutes */
#define ADDRESS_S 600

struct attempt {
    const char *member, *key; /* key: "-/anna", "harbour/anna" */
    const char *password, *code;
    bool by_cookie;
    const char *pair, *from; /* what is counted */
};

static void count_result(const char *result) {
    metric_add(METRIC_SIGN_INS, result, 1);
}

/* True: too much was tried; refused. */
static bool is_slowed(struct api_call *call, const struct attempt *attempt) {
    bool pair = limits_look(call->api->limits, attempt->pair) >= PAIR_MAX;
    bool from = limits_look(call->api->limits, attempt->from) >= ADDRESS_MAX;
    if (!pair && !from)
        return false;
    count_result("slowed");
    int seconds = from ? ADDRESS_S : PAIR_S;
    cleanup_free char *text = problem_text(
        429, "too_often",
        arena_printf(&call->request->arena,
                     "Too many wrong passwords came from where you are. Wait %d seconds.", seconds));
    api_answer_more(call->request, 429, mem_steal(text), &(struct api_more){.retry_s = seconds});
    return true;
}

int access_note_sign_in(const struct api_call *call, struct pg *pg, const struct access_person *person,
                        struct uuid session, int status, struct err *err) {
    struct pg_params params = {.arena = &call->request->arena};
    struct audit_row row = api_audit_row(call, status);
    row.principal_id = person->id;
    row.customer_id = person->customer_id;
    row.credential_id = session;
    audit_params(&params, &(const struct audit_row *){&row}, 1);
    PGresult *noted = pg_run(pg, query_audit_append, &params, err);
    PQclear(noted);
    return noted ? 0 : -1;
}

static void refuse_wrong(struct api_call *call, struct pg *pg, const struct attempt *attempt,
                         const struct access_person *person) {
    struct err err = {0};
    count_result("wrong");
    limits_count(call->api->limits, attempt->pair, PAIR_S);
    limits_count(call->api->limits, attempt->from, ADDRESS_S);
    if (access_note_sign_in(call, pg, person, (struct uuid){{0}}, 401, &err) < 0)
        api_refuse_error(call->request, &err);
    else
        api_refuse(call->request, 401, "wrong_password", "The name, the password or the code is not right.");
}

int access_check_code(struct api_call *call, struct pg *pg, struct uuid member, struct bytes box,
                      const char *code, struct err *err) {
    struct arena *arena = &call->request->arena;
    struct pg_params params = {.arena = arena};
    void *secret;
    size_t n;
    int64_t step;
    if (signing_unseal(call->api->signing, box.p, box.n, arena, &secret, &n, err) < 0)
        return -1;
    if (n != TOTP_SECRET_SIZE || !totp_is(secret, code, clock_wall_us(), &step))
        return 0;
    pg_params_uuid(&params, member);
    pg_params_int(&params, step);
    cleanup_result PGresult *first = pg_run(pg, query_sign_in_step, &params, err);
    return !first ? -1 : PQntuples(first);
}

static int insert(struct api_call *call, struct pg *pg, const struct access_person *person, bool by_cookie,
                  struct uuid id, const char *text, struct err *err) {
    struct pg_params params = {.arena = &call->request->arena};
    struct hash hash = hash_of(text, strlen(text));
    pg_params_uuid(&params, id);
    pg_params_uuid(&params, person->id);
    pg_params_bytes(&params, hash.b, sizeof hash.b);
    pg_params_bool(&params, by_cookie);
    pg_params_text(&params, call->address);
    pg_params_int(&params, SESSION_HOURS);
    PGresult *made = pg_script(pg, "begin", err) == 0 ? pg_run(pg, query_session_insert, &params, err) : NULL;
    PQclear(made);
    return made && access_note_sign_in(call, pg, person, id, 201, err) == 0 ? pg_script(pg, "commit", err)
                                                                            : -1;
}

void access_open_session(struct api_call *call, struct pg *pg, const struct access_person *person,
                         bool by_cookie) {
    struct err err = {0};
    struct uuid id = uuid_make(clock_wall_us());
    char text[TOKEN_TEXT_SIZE], csrf[HASH_HEX_SIZE];
    access_token_text(call->api, id, text);
    if (insert(call, pg, person, by_cookie, id, text, &err) < 0) {
        pg_rollback(pg);
        api_refuse_error(call->request, &err);
        return;
    }
    count_result("right");
    access_await(call->api->access, id);
    access_csrf(text, csrf);
    cleanup_json json_t *body =
        json_pack("{s:s, s:i, s:s?, s:s?}", "member", person->member, "valid_s", SESSION_HOURS * 3600,
                  "token", by_cookie ? NULL : text, "csrf", by_cookie ? csrf : NULL);
    const char *cookie = arena_printf(
        &call->request->arena, SESSION_COOKIE "=%s; Path=/; Max-Age=%d; Secure; HttpOnly; SameSite=Strict",
        text, SESSION_HOURS * 3600);
    api_answer_more(call->request, 201, json_text(body),
                    &(struct api_more){.cookie = by_cookie ? cookie : NULL});
}

static void sign_in(struct api_call *call, struct pg *pg) {
    const struct attempt *attempt = call->request->owner;
    struct err err = {0};
    struct pg_params params = {.arena = &call->request->arena};
    if (is_slowed(call, attempt))
        return;
    pg_params_text(&params, attempt->key);
    cleanup_result PGresult *found = pg_run(pg, query_sign_in_find, &params, &err);
    if (!found) {
        api_refuse_error(call->request, &err);
        return;
    }
    bool there = PQntuples(found) == 1,
         right = password_is(attempt->password, there ? pg_text(found, 0, 2) : NULL);
    struct access_person person = {.member = attempt->member};
    if (there) {
        person.id = pg_uuid(found, 0, 0);
        person.customer_id = pg_uuid(found, 0, 1);
    }
    if (right && pg_bool(found, 0, 5)) {
        if (!attempt->code) {
            count_result("code");
            api_refuse(call->request, 401, "needs_code", "Send the code of the authenticator, too.");
            return;
        }
        struct bytes box = {PQgetvalue(found, 0, 3), (size_t)PQgetlength(found, 0, 3)};
        int rc = access_check_code(call, pg, pg_uuid(found, 0, 0), box, attempt->code, &err);
        if (rc < 0) {
            api_refuse_error(call->request, &err);
            return;
        }
        right = rc > 0;
    }
    if (!right) {
        refuse_wrong(call, pg, attempt, &person);
        return;
    }
    limits_forget(call->api->limits, attempt->pair);
    access_open_session(call, pg, &person, attempt->by_cookie);
}

/* Of IPv6 a network of 64 bits is one neighbour: each has more addresses than can be counted. */
static const char *neighbour(struct arena *arena, const char *address) {
    struct in6_addr six;
    char hex[17];
    if (inet_pton(AF_INET6, address, &six) != 1)
        return address;
    hex_encode(hex, &six, 8);
    return arena_strdup(arena, hex);
}

const char *access_member_key(struct arena *arena, const char *member) {
    return strchr(member, '/') ? arena_strdup(arena, member) : arena_printf(arena, "-/%s", member);
}

void session_create(struct api_call *call) {
    struct arena *arena = &call->request->arena;
    struct attempt *attempt = arena_new(arena, struct attempt);
    cleanup_json json_t *body = api_body(call);
    if (!body)
        return;
    attempt->member = arena_strdup(arena, json_str(body, "member"));
    attempt->key = access_member_key(arena, attempt->member);
    attempt->password = arena_strdup(arena, json_str(body, "password"));
    attempt->code = arena_strdup(arena, json_str(body, "code"));
    attempt->by_cookie = str_eq(json_str(body, "kind"), "cookie");
    attempt->pair = arena_printf(arena, "sign-in %s from %s", attempt->key, neighbour(arena, call->address));
    attempt->from = arena_printf(arena, "sign-in from %s", neighbour(arena, call->address));
    call->request->owner = attempt;
    api_at_signs(call, sign_in);
}

static int end(struct api_call *call, struct pg *pg, void *data, struct uuid seed, struct api_done *ret,
               struct err *err) {
    struct pg_params params = {.arena = &call->request->arena};
    (void)data, (void)seed;
    pg_params_uuid(&params, call->principal->credential_id);
    PGresult *ended = pg_run(pg, query_session_end, &params, err);
    PQclear(ended);
    ret->status = 204;
    return ended ? 0 : -1;
}

void session_end(struct api_call *call) {
    static const struct api_once once = {.kind = "delete", .work = end};
    cleanup_json json_t *body = api_body(call);
    if (!body)
        return;
    if (call->principal->is_session)
        api_once(call, &once, NULL);
    else
        api_refuse(call->request, 422, "no_session",
                   "This is a token, no session: revoke it, if it shall end.");
}
