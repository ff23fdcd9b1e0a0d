/* Signed tokens of others (JWS compact, RFC 7515, by a JWK set, RFC 7517), by libcjose: RS256, PS256 and
 * ES256, and nothing else, whatever the token says of itself. */
#ifndef FAIRLEAD_IO_JWT_H
#define FAIRLEAD_IO_JWT_H

#include "base/err.h"

#include <jansson.h>

/* *ret: the claims of `token`, which a key of `keys` (a JWK set) has signed; the caller frees them. Class
 * park: it is not signed so, or is no token. */
MUST_CHECK int jwt_verify(const char *token, const json_t *keys, json_t **ret, struct err *err);

#endif
