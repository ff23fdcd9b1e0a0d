/* Certificates, by OpenSSL. */
#ifndef FAIRLEAD_IO_TLS_H
#define FAIRLEAD_IO_TLS_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define TLS_KEY_HASH_SIZE 32

/* Is the first certificate of this chain (PEM) for that key (SHA-256 of its SubjectPublicKeyInfo, RFC
 * 7469 2.4), good for each of the names, and not at its end? Class park: it is not, and the sentence says
 * why. Who signed it is for whoever connects to judge. */
MUST_CHECK int tls_check_chain(const char *chain, const uint8_t key_sha256[TLS_KEY_HASH_SIZE],
                               char *const *names, size_t names_n, struct err *err);

#endif
