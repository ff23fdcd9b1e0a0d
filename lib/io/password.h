/* Passwords of people: Argon2id (RFC 9106) by libsodium, 64 MiB and two passes: a tenth of a second of a
 * core. */
#ifndef FAIRLEAD_IO_PASSWORD_H
#define FAIRLEAD_IO_PASSWORD_H

#include "base/err.h"

#include <stdbool.h>

#define PASSWORD_HASH_SIZE 128 /* of the text, with its NUL */
#define PASSWORD_MIN 12
#define PASSWORD_MAX 200

/* Class retry: no memory for it just now. */
MUST_CHECK int password_hash(const char *password, char out[PASSWORD_HASH_SIZE], struct err *err);
/* `hash` NULL: nobody's; takes as long, and is false. */
bool password_is(const char *password, const char *hash);

#endif
