/* The coordinator's own keys: one file for each in its state folder, coordinator.keys for the first and
 * coordinator.<id>.keys for those that came after (key_sets.h). One signs, and a row says which; the others
 * open what was sealed to them, and vouch for what they signed once. */
#ifndef FAIRLEAD_COORDINATOR_SIGNING_H
#define FAIRLEAD_COORDINATOR_SIGNING_H

#include "io/sign.h"

struct signing;

/* The first is made where there is none yet. Class park: a file cannot be read. */
MUST_CHECK int signing_open(const char *state, struct signing **ret, struct err *err);
void signing_close(struct signing *signing); /* NULL is fine */

/* Any thread. That signs; it outlives whoever asks. */
const struct sign_keys *signing_key(struct signing *signing);
/* Any thread. From now on this one signs (NULL: the first): a row says so. Class retry: its file is not here
 * yet, or cannot be read. */
MUST_CHECK int signing_use(struct signing *signing, const uint8_t *sign_public, struct err *err);
/* Any thread. A box that was sealed to any of them. */
MUST_CHECK int signing_unseal(struct signing *signing, const void *box, size_t n, struct arena *arena,
                              void **ret, size_t *ret_n, struct err *err);
/* Any thread. Did any of them sign it? */
bool signing_verify(struct signing *signing, const char *type, const void *payload, size_t n,
                    const void *signature, size_t signature_n);

/* Where the file of a key is. */
#define SIGNING_PATH_SIZE 512
const char *signing_path(const char *state, const uint8_t sign_public[SIGN_PUBLIC_SIZE],
                         char out[SIGNING_PATH_SIZE]);

#endif
