#include "io/jwt.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#include <cjose/cjose.h>
#include <string.h>

/* What a key of this kind may sign with: a token cannot choose a weaker way, or one for which the key is not
 * meant. */
static const struct {
    const char *algorithm, *kind;
} ways[] = {{"RS256", "RSA"}, {"PS256", "RSA"}, {"ES256", "EC"}};

static bool fits(const char *algorithm, const json_t *key) {
    const char *use = json_str(key, "use");
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (str_eq(ways[i].algorithm, algorithm) && str_eq(ways[i].kind, json_str(key, "kty")))
            return !use || str_eq(use, "sig");
    return false;
}

static bool is_signed_by(cjose_jws_t *jws, const json_t *key) {
    cjose_err ignored;
    cleanup_free char *text = json_text(key);
    cjose_jwk_t *jwk = cjose_jwk_import(text, strlen(text), &ignored);
    bool good = jwk && cjose_jws_verify(jws, jwk, &ignored);
    cjose_jwk_release(jwk);
    return good;
}

static int claims_of(cjose_jws_t *jws, const json_t *keys, json_t **ret, struct err *err) {
    cjose_err why;
    json_t *key;
    size_t i, n;
    uint8_t *text;
    cjose_header_t *header = cjose_jws_get_protected(jws);
    const char *algorithm = cjose_header_get(header, "alg", &why),
               *id = cjose_header_get(header, "kid", &why);
    json_array_foreach(json_object_get(keys, "keys"), i, key) {
        if (!fits(algorithm, key) || (id && json_str(key, "kid") && !str_eq(id, json_str(key, "kid"))))
            continue;
        if (!is_signed_by(jws, key))
            continue;
        if (cjose_jws_get_plaintext(jws, &text, &n, &why) && (*ret = json_parse((const char *)text, n, err)))
            return 0;
        return err_set(err, ERR_PARK, "the token holds no claims");
    }
    return err_set(err, ERR_PARK, "no key of its issuer has signed the token");
}

int jwt_verify(const char *token, const json_t *keys, json_t **ret, struct err *err) {
    cjose_err ignored;
    cjose_jws_t *jws = cjose_jws_import(token, strlen(token), &ignored);
    if (!jws)
        return err_set(err, ERR_PARK, "this is no signed token");
    int rc = claims_of(jws, keys, ret, err);
    cjose_jws_release(jws);
    return rc;
}
