/* Who holds which token: all of them known by heart, so that a request costs no question. The rows are
 * PostgreSQL's; what changes there is heard at once (NOTIFY fairlead_access), and all is read again where the
 * connection was lost. While the database is away, what was known last counts: nothing that it guards can be
 * reached then. */
#ifndef FAIRLEAD_COORDINATOR_ACCESS_H
#define FAIRLEAD_COORDINATOR_ACCESS_H

#include "base/err.h"
#include "base/hash.h"
#include "model/principal.h"

struct access_conf {
    const char *database_url;
    /* The token of the coordinator's file: the first operator's, until it is revoked. Empty hint: there is
     * none. */
    struct hash file_token;
    const char *file_hint;
};

struct access;
/* Reads them for the first time, if the database answers. */
struct access *access_start(const struct access_conf *conf, struct err *err);
/* From now on somebody is told that tokens may have ended: streams look again. */
void access_tell(struct access *access, void (*changed)(void *arg), void *arg);
/* Tells nobody of changes any more: before those who are told go. NULL is fine, to both. */
void access_stop(struct access *access);
void access_free(struct access *access);

bool access_is_ready(struct access *access); /* something has been read */

enum access_answer {
    ACCESS_KNOWN,
    ACCESS_UNKNOWN,
    ACCESS_NOT_READY, /* nothing has been read yet: the database is away */
};
/* Any thread. `token` as it was sent, in a cookie or not: a session of the one kind is nothing as the other.
 * *ret lives in the arena. */
enum access_answer access_find(struct access *access, const char *token, bool by_cookie, struct arena *arena,
                               struct principal **ret);
/* What a change by cookie must say (X-CSRF-Token): only who holds the cookie can know it, and a page of
 * another origin cannot send it. */
void access_csrf(const char *token, char out[HASH_HEX_SIZE]);
/* Waits until it is known, a second at most: who was just given one may use it at once. */
void access_await(struct access *access, struct uuid credential_id);
/* Is it good still? */
bool access_is_good(struct access *access, struct uuid credential_id);
/* Names of the roles that open a scope, in words ("operator, administrator"). */
const char *access_roles_with(struct access *access, int scope, struct arena *arena);

#endif
