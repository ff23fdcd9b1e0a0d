/* Tokens as text: "fl_", then 48 characters of base64url (RFC 4648) over 32 secret bytes and 4 of their hash.
 * So a scanner of repositories finds them, and one that was cut or mistyped is told from one that is not
 * known. */
#ifndef FAIRLEAD_IO_TOKEN_H
#define FAIRLEAD_IO_TOKEN_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

#define TOKEN_PREFIX "fl_"
#define TOKEN_SECRET_SIZE 32
#define TOKEN_TEXT_SIZE 52 /* with its NUL */
#define TOKEN_HINT_SIZE 10 /* the first characters of it that may be shown, with a NUL */

/* base64url without padding; in the arena. */
const char *token_base64url(const void *p, size_t n, struct arena *arena);
char *token_text(const uint8_t secret[TOKEN_SECRET_SIZE], char out[TOKEN_TEXT_SIZE]);
/* As it was made? Says nothing of whether anybody knows it. */
bool token_is_whole(const char *text);

#endif
