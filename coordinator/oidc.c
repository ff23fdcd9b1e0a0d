#include "coordinator/oidc.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/rnd.h"
#include "base/str.h"
#include "io/http.h"
#include "io/jwt.h"
#include "io/token.h"
#include "model/claims.h"

#include <stdio.h>
#include <string.h>

#define ANSWER_MAX 262144
#define ASK_US (5 * CLOCK_S)

/* ---- state ---- */

/* A secret of ours for this state and this use. */
static const char *derive(const struct sign_keys *keys, const char *use, const char *state,
                          struct arena *arena) {
    uint8_t signature[SIGN_SIZE];
    sign_make(keys, use, state, strlen(state), signature);
    return token_base64url(hash_of(signature, sizeof signature).b, HASH_SIZE, arena);
}

/* "PROVIDER.UNTIL.RANDOM.SIGNATURE", the signature cut to 128 bits. */
static void sign_state(const struct sign_keys *keys, const char *text, size_t n, char out[33]) {
    uint8_t signature[SIGN_SIZE];
    sign_make(keys, "fairlead.oidc.state.v1", text, n, signature);
    hex_encode(out, hash_of(signature, sizeof signature).b, 16);
}

void oidc_state_make(const struct sign_keys *keys, struct uuid provider, int64_t now_us,
                     char out[OIDC_STATE_SIZE]) {
    char id[UUID_HEX_SIZE], signature[33];
    int n = snprintf(out, OIDC_STATE_SIZE, "%s.%llx.%016llx", uuid_hex(provider, id),
                     (unsigned long long)(now_us / CLOCK_S + OIDC_STATE_S), (unsigned long long)rnd_u64());
    sign_state(keys, out, (size_t)n, signature);
    (void)snprintf(out + n, OIDC_STATE_SIZE - (size_t)n, ".%s", signature);
}

bool oidc_state_read(const struct sign_keys *keys, const char *state, int64_t now_us,
                     struct uuid *ret_provider) {
    const char *last = strrchr(state, '.');
    char id[UUID_HEX_SIZE], signature[33];
    unsigned long long until;
    if (strlen(state) >= OIDC_STATE_SIZE || !last || strlen(last + 1) != 32 ||
        sscanf(state, "%32[0-9a-f].%llx.", id, &until) != 2)
        return false;
    sign_state(keys, state, (size_t)(last - state), signature);
    return sign_equal(signature, last + 1, 32) && (int64_t)until > now_us / CLOCK_S &&
           uuid_parse(id, ret_provider);
}

/* ---- asking the provider ---- */

static int ask(const char *method, const char *url, const char *const *headers, const char *body,
               json_t **ret, struct err *err) {
    struct http_call call = HTTP_CALL_INIT(ANSWER_MAX);
    call.method = method;
    call.url = url;
    call.headers = headers;
    call.body = body;
    call.timeout_us = ASK_US;
    int rc = http_run(&call, err);
    if (rc == 0 && call.status != 200)
        rc = err_set(err, ERR_PARK, "the identity provider answers %ld at %s", call.status, url);
    if (rc == 0 && !(*ret = json_parse(str_text(&call.answer), call.answer.n, err)))
        rc = -1;
    http_release(&call);
    return rc;
}

/* OpenID Connect Discovery 1.0: what it says of itself must be of the very issuer. */
static int discover(const struct oidc_provider *provider, struct arena *arena, json_t **ret,
                    struct err *err) {
    const char *slash = provider->issuer[strlen(provider->issuer) - 1] == '/' ? "" : "/";
    const char *url = arena_printf(arena, "%s%s.well-known/openid-configuration", provider->issuer, slash);
    static const char *const needed[] = {"authorization_endpoint", "token_endpoint", "jwks_uri"};
    if (ask("GET", url, NULL, NULL, ret, err) < 0)
        return -1;
    if (!str_eq(json_str(*ret, "issuer"), provider->issuer))
        return err_set(err, ERR_PARK, "the identity provider says that it is another issuer: \"%.200s\"",
                       json_str(*ret, "issuer") ? json_str(*ret, "issuer") : "");
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!json_str(*ret, needed[i]) || !claims_is_address(json_str(*ret, needed[i])) ||
            claims_is_local(json_str(*ret, needed[i])) !=
                claims_is_local(provider->issuer)) /* it does not steer us to ourselves */
            return err_set(err, ERR_PARK, "the identity provider names no %s that could be asked", needed[i]);
    return 0;
}

int oidc_begin(const struct oidc_provider *provider, const struct sign_keys *keys, const char *state,
               struct arena *arena, const char **ret_url, struct err *err) {
    cleanup_json json_t *known = NULL;
    if (discover(provider, arena, &known, err) < 0)
        return -1;
    const char *verifier = derive(keys, "fairlead.oidc.verifier.v1", state, arena);
    struct hash hash = hash_sha256(verifier, strlen(verifier), "", 0);
    const char *at = json_str(known, "authorization_endpoint");
    *ret_url = arena_printf(
        arena,
        "%s%cresponse_type=code&scope=openid%%20profile&client_id=%s&redirect_uri=%s&state=%s&nonce=%s"
        "&code_challenge_method=S256&code_challenge=%s",
        at, strchr(at, '?') ? '&' : '?', http_escape(arena, provider->client_id),
        http_escape(arena, provider->redirect), state, derive(keys, "fairlead.oidc.nonce.v1", state, arena),
        token_base64url(hash.b, HASH_SIZE, arena));
    return 0;
}

static int redeem(const struct oidc_provider *provider, const json_t *known, const char *verifier,
                  const char *code, struct arena *arena, json_t **ret, struct err *err) {
    const char *body =
        arena_printf(arena,
                     "grant_type=authorization_code&code=%s&redirect_uri=%s&client_id=%s&client_secret=%s&"
                     "code_verifier=%s",
                     http_escape(arena, code), http_escape(arena, provider->redirect),
                     http_escape(arena, provider->client_id), http_escape(arena, provider->secret), verifier);
    static const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded",
                                          "Accept: application/json", NULL};
    return ask("POST", json_str(known, "token_endpoint"), headers, body, ret, err);
}

int oidc_end(const struct oidc_provider *provider, const struct sign_keys *keys, const char *state,
             const char *code, int64_t now_us, struct arena *arena, json_t **ret_claims, struct err *err) {
    cleanup_json json_t *known = NULL, *given = NULL, *jwks = NULL;
    struct claims_want want = {provider->issuer, provider->client_id,
                               derive(keys, "fairlead.oidc.nonce.v1", state, arena)};
    if (discover(provider, arena, &known, err) < 0 ||
        redeem(provider, known, derive(keys, "fairlead.oidc.verifier.v1", state, arena), code, arena, &given,
               err) < 0 ||
        ask("GET", json_str(known, "jwks_uri"), NULL, NULL, &jwks, err) < 0)
        return -1;
    const char *token = json_str(given, "id_token");
    if (!token)
        return err_set(err, ERR_PARK, "the identity provider gave no id_token");
    json_t *claims = NULL;
    if (jwt_verify(token, jwks, &claims, err) < 0)
        return -1;
    if (claims_judge(claims, &want, now_us, err) == 0) {
        *ret_claims = claims;
        return 0;
    }
    json_decref(claims);
    return -1;
}
