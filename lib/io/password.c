#include "io/password.h"

#include <sodium.h>
#include <string.h>

_Static_assert(PASSWORD_HASH_SIZE >= crypto_pwhash_STRBYTES, "the text of a hash");

int password_hash(const char *password, char out[PASSWORD_HASH_SIZE], struct err *err) {
    if (crypto_pwhash_str(out, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE) == 0)
        return 0;
    return err_set(err, ERR_RETRY, "no memory to hash a password");
}

bool password_is(const char *password, const char *hash) {
    char other[PASSWORD_HASH_SIZE];
    if (hash)
        return crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;
    return crypto_pwhash_str(other, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                             crypto_pwhash_MEMLIMIT_INTERACTIVE) > 0; /* it returns 0 or -1: never */
}
