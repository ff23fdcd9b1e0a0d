/* The authority as nodes see it: its root, and a new certificate for whoever proves to be a node that
 * enrolled. How old its last one is does not matter; that it was not revoked does. */
#include "coordinator/api/certificates.h"

#include "base/clock.h"
#include "base/str.h"
#include "coordinator/authority.h"
#include "coordinator/key_sets.h"
#include "node/envelope.h"
#include "sql/queries.h"

#include <endian.h>
#include <string.h>

#define CHALLENGE_US (300 * CLOCK_S) /* how long one is good */
#define CHALLENGE_SIZE (sizeof(uint64_t) + SIGN_SIZE)
#define CHALLENGE_HEX_SIZE (2 * CHALLENGE_SIZE + 1)

static const char no_authority[] = "This coordinator gives no certificates: its option authority is empty.";

void authority_get(struct api_call *call) {
    const struct authority *authority = call->api->authority;
    const struct sign_keys *keys = signing_key(call->api->signing);
    uint8_t proof[SIGN_SIZE];
    char sign_hex[65], proof_hex[2 * SIGN_SIZE + 1];
    if (!authority) {
        api_refuse(call->request, 404, "not_found", no_authority);
        return;
    }
    const char *root = authority_root(authority);
    sign_make(keys, ENVELOPE_AUTHORITY, root, strlen(root), proof);
    hex_encode(sign_hex, keys->sign_public, SIGN_PUBLIC_SIZE);
    hex_encode(proof_hex, proof, sizeof proof);
    cleanup_json json_t *body =
        json_pack("{s:s, s:s, s:s}", "root", root, "sign_key", sign_hex, "proof", proof_hex);
    api_answer(call->request, 200, json_text(body));
}

bool certificate_may_be_asked(struct api_call *call, const char *request) {
    struct err err = {0};
    if (request && cert_request_check(request, &err) == 0)
        return true;
    if (!request)
        api_refuse(call->request, 422, "request_needed",
                   "Here a node asks for a certificate, too: take the fairlead-worker of this version.");
    else
        api_refuse(call->request, 422, "bad_request",
                   arena_printf(&call->request->arena, "No certificate: %s.", err.text));
    return false;
}

int certificate_give(const struct api_call *call, struct pg *pg, struct uuid node, int64_t enrolment,
                     const char *request, const char **ret_chain, struct err *err) {
    struct pg_params params = {.arena = &call->request->arena};
    struct cert_facts facts;
    cleanup_free char *chain = NULL;
    if (authority_certify(call->api->authority, node, enrolment, request, clock_wall_us(), &chain, &facts,
                          err) < 0)
        return -1;
    pg_params_uuid(&params, node);
    pg_params_text(&params, facts.serial);
    pg_params_text(&params, facts.fingerprint);
    pg_params_time(&params, facts.until_us);
    cleanup_result PGresult *kept = pg_run(pg, query_nodes_certified, &params, err);
    *ret_chain = arena_strdup(&call->request->arena, chain);
    return kept ? 0 : -1;
}

/* ---- a new one ---- */

/* Nothing is remembered of a challenge: it says when it was made, for whom, and that it was us. */
static void sign_challenge(const struct sign_keys *keys, struct uuid node, uint64_t made_be,
                           uint8_t ret[SIGN_SIZE]) {
    uint8_t said[sizeof node.b + sizeof made_be];
    memcpy(said, node.b, sizeof node.b);
    memcpy(said + sizeof node.b, &made_be, sizeof made_be);
    sign_make(keys, ENVELOPE_CHALLENGE, said, sizeof said, ret);
}

static bool is_fresh(const struct sign_keys *keys, struct uuid node, const char *challenge) {
    uint8_t bytes[CHALLENGE_SIZE], signature[SIGN_SIZE];
    uint64_t made_be;
    if (!hex_decode(bytes, sizeof bytes, challenge))
        return false;
    memcpy(&made_be, bytes, sizeof made_be);
    sign_challenge(keys, node, made_be, signature);
    if (!sign_equal(signature, bytes + sizeof made_be, SIGN_SIZE))
        return false; /* the time is anybody's */
    int64_t age_us = clock_wall_us() - (int64_t)be64toh(made_be);
    return age_us >= 0 && age_us < CHALLENGE_US;
}

/* Any node, also one that is none: who is one is not told. */
void renew_challenge(struct api_call *call) {
    struct uuid node;
    uint8_t bytes[CHALLENGE_SIZE];
    char hex[CHALLENGE_HEX_SIZE];
    cleanup_json json_t *body = api_body(call);
    if (!body)
        return;
    if (!uuid_parse(json_str(body, "node"), &node)) {
        api_refuse(call->request, 422, "invalid", "\"node\" is not the identity of a node.");
        return;
    }
    uint64_t made_be = htobe64((uint64_t)clock_wall_us());
    memcpy(bytes, &made_be, sizeof made_be);
    sign_challenge(signing_key(call->api->signing), node, made_be, bytes + sizeof made_be);
    hex_encode(hex, bytes, sizeof bytes);
    cleanup_json json_t *answer = json_pack("{s:s}", "challenge", hex);
    api_answer(call->request, 200, json_text(answer));
}

struct renewal {
    struct uuid node;
    const char *challenge, *request;
    uint8_t proof[SIGN_SIZE];
};

static bool is_proved(const struct api_call *call, const struct renewal *renewal, PGresult *node) {
    cleanup_str struct str said = STR_INIT(CHALLENGE_HEX_SIZE + CERT_REQUEST_MAX + 1);
    str_adds(&said, renewal->challenge);
    str_adds(&said, renewal->request);
    return PQntuples(node) == 1 && PQgetlength(node, 0, 0) == SIGN_PUBLIC_SIZE && !str_is_cut(&said) &&
           is_fresh(signing_key(call->api->signing), renewal->node, renewal->challenge) &&
           sign_verify((const uint8_t *)PQgetvalue(node, 0, 0), ENVELOPE_RENEW, said.s, said.n,
                       renewal->proof, SIGN_SIZE);
}

static const char not_proved[] =
    "This is not a node that may renew its certificate: it has not enrolled, was revoked, or "
    "its question is older than five minutes.";

/* The audit keeps that it was done, in the same transaction; the certificate itself can be asked for again.
 */
static int note(const struct api_call *call, struct pg *pg, const char *chain, struct err *err) {
    struct pg_params params = {.arena = &call->request->arena};
    struct audit_row row = api_audit_row(call, 200);
    row.after = audit_hash(params.arena, chain);
    audit_params(&params, &(const struct audit_row *){&row}, 1);
    cleanup_result PGresult *noted = pg_run(pg, query_audit_append, &params, err);
    return noted ? 0 : -1;
}

/* *ret_chain NULL: it is no node that may. */
static int give(struct api_call *call, struct pg *pg, const char **ret_chain, const char **ret_key_set,
                struct err *err) {
    const struct renewal *renewal = call->data;
    struct pg_params params = {.arena = &call->request->arena};
    pg_params_uuid(&params, renewal->node);
    if (pg_script(pg, "begin", err) < 0)
        return -1;
    cleanup_result PGresult *node = pg_run(pg, query_nodes_renewing, &params, err);
    if (!node)
        return -1;
    if (!is_proved(call, renewal, node))
        return pg_script(pg, "rollback", err);
    if (key_sets_released(pg, &call->request->arena, ret_key_set, err) < 0 ||
        key_sets_follow(pg, call->api->signing, NULL, err) < 0)
        return -1;
    return certificate_give(call, pg, renewal->node, pg_int(node, 0, 1), renewal->request, ret_chain, err) <
                       0 ||
                   note(call, pg, *ret_chain, err) < 0 || pg_script(pg, "commit", err) < 0
               ? -1
               : 0;
}

static void renew(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    const char *chain = NULL, *key_set = NULL;
    if (give(call, pg, &chain, &key_set, &err) < 0) {
        pg_rollback(pg);
        api_refuse_error(call->request, &err);
        return;
    }
    if (!chain) {
        api_refuse(call->request, 401, "not_proved", not_proved);
        return;
    }
    cleanup_json json_t *body =
        json_pack("{s:s, s:I, s:s*}", "certificate", chain, "valid_s",
                  (json_int_t)(authority_life_us(call->api->authority) / CLOCK_S), "key_set", key_set);
    api_answer(call->request, 200, json_text(body));
}

void node_renew_certificate(struct api_call *call) {
    struct arena *arena = &call->request->arena;
    struct renewal *renewal = arena_new(arena, struct renewal);
    cleanup_json json_t *body = api_body(call);
    if (!body)
        return;
    if (!call->api->authority) {
        api_refuse(call->request, 404, "not_found", no_authority);
        return;
    }
    if (!uuid_parse(json_str(body, "node"), &renewal->node) ||
        !hex_decode(renewal->proof, SIGN_SIZE, json_str(body, "proof"))) {
        api_refuse(call->request, 401, "not_proved", not_proved);
        return;
    }
    renewal->challenge = arena_strdup(arena, json_str(body, "challenge"));
    renewal->request = arena_strdup(arena, json_str(body, "request"));
    call->data = renewal;
    if (certificate_may_be_asked(call, renewal->request))
        api_at_desk(call, renew);
}
