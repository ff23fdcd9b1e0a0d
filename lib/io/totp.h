/* Second factors: time-based codes (RFC 6238, six digits, 30 s, SHA-1, as every authenticator has them) by
 * liboath. */
#ifndef FAIRLEAD_IO_TOTP_H
#define FAIRLEAD_IO_TOTP_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

#define TOTP_SECRET_SIZE 20

void totp_make(uint8_t out[TOTP_SECRET_SIZE]);
/* In base32, as it is typed into an authenticator; in the arena. */
const char *totp_text(const uint8_t secret[TOTP_SECRET_SIZE], struct arena *arena);
/* Is it the code of now, or of the 30 s before or after? *ret_step: of which step, to see that it comes once.
 */
bool totp_is(const uint8_t secret[TOTP_SECRET_SIZE], const char *code, int64_t now_us, int64_t *ret_step);

#endif
