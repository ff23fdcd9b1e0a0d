#include "io/tls.h"

#include "base/mem.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <string.h>

static void bio_free_p(BIO **bio) {
    (void)BIO_free(*bio);
}

static void x509_free_p(X509 **certificate) {
    X509_free(*certificate);
}

static int check_key(X509 *certificate, const uint8_t wanted[TLS_KEY_HASH_SIZE], struct err *err) {
    uint8_t hash[EVP_MAX_MD_SIZE], *info = NULL;
    unsigned n = 0;
    int info_n = i2d_PUBKEY(X509_get0_pubkey(certificate), &info);
    bool same = info_n > 0 && EVP_Digest(info, (size_t)info_n, hash, &n, EVP_sha256(), NULL) == 1 &&
                n == TLS_KEY_HASH_SIZE && memcmp(hash, wanted, n) == 0;
    OPENSSL_free(info);
    return same ? 0 : err_set(err, ERR_PARK, "the certificate is for another key");
}

int tls_check_chain(const char *chain, const uint8_t key_sha256[TLS_KEY_HASH_SIZE], char *const *names,
                    size_t names_n, struct err *err) {
    __attribute__((cleanup(bio_free_p))) BIO *bio = BIO_new_mem_buf(chain, (int)strlen(chain));
    __attribute__((cleanup(x509_free_p))) X509 *certificate =
        bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    if (!certificate)
        return err_set(err, ERR_PARK, "the chain does not begin with a certificate (PEM)");
    if (check_key(certificate, key_sha256, err) < 0)
        return -1;
    for (size_t i = 0; i < names_n; i++)
        if (X509_check_host(certificate, names[i], strlen(names[i]), 0, NULL) != 1)
            return err_set(err, ERR_PARK, "the certificate is not good for \"%.190s\"", names[i]);
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0)
        return err_set(err, ERR_PARK, "the certificate has ended");
    return 0;
}
