/* Certificates (X.509, RFC 5280) of our own authority, by OpenSSL. Keys are P-256; texts are PEM, NUL-ended
 * and the caller's to free. A certificate says only what our rows say: of a request nothing counts but its
 * public key, and the proof that whoever asks holds the private one. */
#ifndef FAIRLEAD_IO_CERT_H
#define FAIRLEAD_IO_CERT_H

#include "base/clock.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CERT_PEM_MAX 65536    /* bytes of a file that is looked at: a key and its chain */
#define CERT_REQUEST_MAX 4096 /* bytes of a request that is looked at */
#define CERT_SERIAL_SIZE 41   /* hex of 20 bytes at most (RFC 5280, 4.1.2.2) */
#define CERT_NAME_SIZE 65     /* a common name (RFC 5280, appendix A: 64 characters) */

enum cert_use {
    CERT_ROOT,    /* signs issuing certificates; it is its own issuer */
    CERT_ISSUING, /* signs the others, and no authority */
    CERT_CLIENT,  /* who somebody is */
    CERT_SERVER,  /* the same, and what answers at its hosts */
};

struct cert_issuer {
    char *key, *chain; /* its private key; its certificate and those up to the root, without it */
};
void cert_issuer_release(struct cert_issuer *issuer);

struct cert_wish {
    enum cert_use use;
    const char *unit, *name;  /* of the subject: O and CN */
    const char *const *hosts; /* of a server: names or addresses, NULL-ended; NULL: none */
    int64_t from_us, until_us;
};

/* What our authority certifies begins so long before it does: clocks of nodes are not quite its own. */
#define CERT_EARLY_US (300 * CLOCK_S)

/* What a certificate says. */
struct cert_facts {
    char serial[CERT_SERIAL_SIZE], name[CERT_NAME_SIZE], unit[CERT_NAME_SIZE];
    char fingerprint[65]; /* SHA-256 of the whole, hex: what people compare */
    int64_t from_us, until_us;
};

/* First of all in a program that has threads: OpenSSL clears itself away when the program exits, and whatever
 * thread still speaks TLS then (after a start that failed half-way) would fall over what is gone. */
void cert_init(void);

/* A new private key (PKCS #8). Class bug. */
MUST_CHECK int cert_key_make(char **ret, struct err *err);
/* A request (PKCS #10, RFC 2986) for that key. Class park: it is none. */
MUST_CHECK int cert_request_make(const char *key, char **ret, struct err *err);
/* Class dead: it cannot be read, is too long, not of a P-256 key, or not signed by it. */
MUST_CHECK int cert_request_check(const char *request, struct err *err);

/* A certificate for the key of `request`, and behind it the chain of who signed it (but the root). Class
 * dead: as of cert_request_check(). And a root, which signs itself. */
MUST_CHECK int cert_issue(const struct cert_issuer *issuer, const char *request, const struct cert_wish *wish,
                          char **ret, struct err *err);
MUST_CHECK int cert_root_make(const char *key, const struct cert_wish *wish, char **ret, struct err *err);

/* Of the first certificate in `pem`. Class park: there is none. */
MUST_CHECK int cert_read(const char *pem, struct cert_facts *ret, struct err *err);
/* Does the chain lead to this root, is it for who somebody is, and is it of that key? Class park: no, and the
 * sentence says why. Whether it is in force is for whoever it is shown to: our clock may be wrong. */
MUST_CHECK int cert_check(const char *chain, const char *root, const char *key, struct err *err);

/* ECDSA with SHA-256, in DER, by a key of P-256. Class park: it is none. */
#define CERT_SIGNATURE_MAX 80
MUST_CHECK int cert_sign(const char *key, const void *p, size_t n, uint8_t out[CERT_SIGNATURE_MAX],
                         size_t *ret_n, struct err *err);
/* By the key that this certificate (PEM) is for? */
bool cert_verify(const char *certificate, const void *p, size_t n, const void *signature, size_t signature_n);

#endif
