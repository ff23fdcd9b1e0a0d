/* Signing in elsewhere: OpenID Connect, authorization code with PKCE (RFC 7636). Nothing of a sign-in that
 * was begun is kept: its state is signed, and what it must match is made of it again. */
#ifndef FAIRLEAD_COORDINATOR_OIDC_H
#define FAIRLEAD_COORDINATOR_OIDC_H

#include "base/json.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "io/sign.h"

#define OIDC_STATE_SIZE 160
#define OIDC_STATE_S 600 /* for which a sign-in that was begun may be ended */

struct oidc_provider {
    const char *issuer, *client_id, *secret;
    const char *redirect; /* our own address, to which people come back */
};

/* A state for a sign-in at this provider, from now. */
void oidc_state_make(const struct sign_keys *keys, struct uuid provider, int64_t now_us,
                     char out[OIDC_STATE_SIZE]);
/* False: it is not ours, or too old. */
bool oidc_state_read(const struct sign_keys *keys, const char *state, int64_t now_us,
                     struct uuid *ret_provider);

/* Where a person goes to sign in; in the arena. Class retry: the provider cannot be asked. Class park: it
 * says nonsense. */
MUST_CHECK int oidc_begin(const struct oidc_provider *provider, const struct sign_keys *keys,
                          const char *state, struct arena *arena, const char **ret_url, struct err *err);
/* What the provider says of who came back with `code`; the caller frees it. Class park: it is not to be
 * believed. */
MUST_CHECK int oidc_end(const struct oidc_provider *provider, const struct sign_keys *keys, const char *state,
                        const char *code, int64_t now_us, struct arena *arena, json_t **ret_claims,
                        struct err *err);

#endif
