/* What an identity provider says of a person (OpenID Connect Core 1.0, sections 2 and 3.1.3.7): may it be
 * believed? Pure; that the provider has signed it was seen before. */
#ifndef FAIRLEAD_MODEL_CLAIMS_H
#define FAIRLEAD_MODEL_CLAIMS_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* May this address be asked? https, or http of this very machine. */
bool claims_is_address(const char *url);
bool claims_is_local(const char *url);

struct claims_want {
    const char *issuer, *client_id, *nonce;
};
/* Class park: it is of another issuer, for another client, of another sign-in, too old, or of a time to come.
 */
MUST_CHECK int claims_judge(const json_t *claims, const struct claims_want *want, int64_t now_us,
                            struct err *err);

#endif
