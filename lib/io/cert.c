#include "io/cert.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define FREER(name, type, release)                                                                           \
    static void name##_free_p(type **p) {                                                                    \
        release(*p);                                                                                         \
    }
FREER(bio, BIO, (void)BIO_free)
FREER(key, EVP_PKEY, EVP_PKEY_free)
FREER(certificate, X509, X509_free)
FREER(request, X509_REQ, X509_REQ_free)
FREER(extension, X509_EXTENSION, X509_EXTENSION_free)
FREER(number, BIGNUM, BN_free)
FREER(digest, EVP_MD_CTX, EVP_MD_CTX_free)
#define OWNED(name) __attribute__((cleanup(name##_free_p)))

void cert_issuer_release(struct cert_issuer *issuer) {
    if (issuer->key)
        OPENSSL_cleanse(issuer->key, strlen(issuer->key));
    free(mem_steal(issuer->key));
    free(mem_steal(issuer->chain));
}

void cert_init(void) {
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}

/* What the library says of it is not for people. */
static int failed(struct err *err, enum err_class cls, const char *sentence) {
    ERR_clear_error();
    return err_set(err, cls, "%s", sentence);
}

static char *text_of(BIO *bio) {
    char *data = NULL;
    long n = BIO_get_mem_data(bio, &data);
    char *text = mem_alloc((size_t)n + 1);
    memcpy(text, data, (size_t)n);
    return text;
}

int cert_key_make(char **ret, struct err *err) {
    OWNED(key) EVP_PKEY *key = EVP_EC_gen("P-256");
    OWNED(bio) BIO *bio = BIO_new(BIO_s_mem());
    if (!key || !bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
        return failed(err, ERR_BUG, "a key cannot be made");
    *ret = text_of(bio);
    return 0;
}

static EVP_PKEY *read_key(const char *pem) {
    OWNED(bio) BIO *bio = BIO_new_mem_buf(pem, -1);
    return bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, "") : NULL;
}

static X509 *read_certificate(BIO *bio) {
    return bio ? PEM_read_bio_X509(bio, NULL, NULL, "") : NULL;
}

int cert_request_make(const char *key_text, char **ret, struct err *err) {
    OWNED(key) EVP_PKEY *key = read_key(key_text);
    OWNED(request) X509_REQ *request = X509_REQ_new();
    OWNED(bio) BIO *bio = BIO_new(BIO_s_mem());
    if (!key)
        return failed(err, ERR_PARK, "this is no private key (PEM)");
    if (!request || !bio || X509_REQ_set_pubkey(request, key) != 1 ||
        X509_REQ_sign(request, key, EVP_sha256()) <= 0 || PEM_write_bio_X509_REQ(bio, request) != 1)
        return failed(err, ERR_BUG, "a request cannot be made");
    *ret = text_of(bio);
    return 0;
}

static bool is_p256(const EVP_PKEY *key) {
    char group[32] = "";
    size_t n;
    return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, &n) == 1 &&
           str_eq(group, SN_X9_62_prime256v1);
}

static int open_request(const char *text, X509_REQ **ret, struct err *err) {
    if (strlen(text) > CERT_REQUEST_MAX)
        return err_set(err, ERR_DEAD, "the request is longer than %d bytes", CERT_REQUEST_MAX);
    OWNED(bio) BIO *bio = BIO_new_mem_buf(text, -1);
    OWNED(request) X509_REQ *request = bio ? PEM_read_bio_X509_REQ(bio, NULL, NULL, "") : NULL;
    EVP_PKEY *key = request ? X509_REQ_get0_pubkey(request) : NULL;
    if (!key)
        return failed(err, ERR_DEAD, "the request for a certificate cannot be read (PKCS #10, PEM)");
    if (!is_p256(key))
        return failed(err, ERR_DEAD, "the request is for a key that is not of the curve P-256");
    if (X509_REQ_verify(request, key) != 1)
        return failed(err, ERR_DEAD, "whoever asks has not proved that the key is its own");
    *ret = mem_steal(request);
    return 0;
}

int cert_request_check(const char *request, struct err *err) {
    OWNED(request) X509_REQ *opened = NULL;
    return open_request(request, &opened, err);
}

static bool add_extension(X509 *certificate, X509V3_CTX *ctx, int nid, const char *value) {
    OWNED(extension) X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
    return extension && X509_add_ext(certificate, extension, -1) == 1;
}

static bool add_hosts(X509 *certificate, X509V3_CTX *ctx, const char *const *hosts) {
    cleanup_str struct str value = STR_INIT(4096);
    uint8_t address[16];
    for (size_t i = 0; hosts && hosts[i]; i++)
        str_addf(&value, "%s%s:%s", i ? "," : "",
                 inet_pton(AF_INET, hosts[i], address) == 1 || inet_pton(AF_INET6, hosts[i], address) == 1
                     ? "IP"
                     : "DNS",
                 hosts[i]);
    return !value.n || add_extension(certificate, ctx, NID_subject_alt_name, str_text(&value));
}

static bool add_use(X509 *certificate, X509 *issuer, const struct cert_wish *wish) {
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
    bool authority = wish->use == CERT_ROOT || wish->use == CERT_ISSUING;
    const char *constraints = wish->use == CERT_ROOT      ? "critical,CA:TRUE,pathlen:1"
                              : wish->use == CERT_ISSUING ? "critical,CA:TRUE,pathlen:0"
                                                          : "critical,CA:FALSE";
    return add_extension(certificate, &ctx, NID_basic_constraints, constraints) &&
           add_extension(certificate, &ctx, NID_key_usage,
                         authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") &&
           (authority || add_extension(certificate, &ctx, NID_ext_key_usage,
                                       wish->use == CERT_SERVER ? "serverAuth,clientAuth" : "clientAuth")) &&
           add_extension(certificate, &ctx, NID_subject_key_identifier, "hash") &&
           (wish->use == CERT_ROOT ||
            add_extension(certificate, &ctx, NID_authority_key_identifier, "keyid:always")) &&
           add_hosts(certificate, &ctx, wish->hosts);
}

/* RFC 5280, 4.1.2.2: positive, and not to be foretold. */
static bool set_serial(X509 *certificate) {
    uint8_t bytes[16];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40);
    OWNED(number) BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    return number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
}

static bool set_subject(X509 *certificate, const struct cert_wish *wish) {
    X509_NAME *subject = X509_get_subject_name(certificate);
    return X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, (const uint8_t *)wish->unit, -1, -1, 0) ==
               1 &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const uint8_t *)wish->name, -1, -1, 0) ==
               1;
}

static int sign(EVP_PKEY *public_key, EVP_PKEY *key, X509 *issuer, const struct cert_wish *wish, BIO *out,
                struct err *err) {
    OWNED(certificate) X509 *certificate = X509_new();
    if (!certificate || X509_set_version(certificate, X509_VERSION_3) != 1 || !set_serial(certificate) ||
        !set_subject(certificate, wish) ||
        X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer : certificate)) != 1 ||
        !ASN1_TIME_set(X509_getm_notBefore(certificate), wish->from_us / CLOCK_S) ||
        !ASN1_TIME_set(X509_getm_notAfter(certificate), wish->until_us / CLOCK_S) ||
        X509_set_pubkey(certificate, public_key) != 1 ||
        !add_use(certificate, issuer ? issuer : certificate, wish) ||
        X509_sign(certificate, key, EVP_sha256()) <= 0 || PEM_write_bio_X509(out, certificate) != 1)
        return failed(err, ERR_BUG, "a certificate cannot be made");
    return 0;
}

int cert_issue(const struct cert_issuer *issuer, const char *request_text, const struct cert_wish *wish,
               char **ret, struct err *err) {
    OWNED(request) X509_REQ *request = NULL;
    OWNED(key) EVP_PKEY *key = read_key(issuer->key);
    OWNED(bio) BIO *chain = BIO_new_mem_buf(issuer->chain, -1);
    OWNED(certificate) X509 *certificate = read_certificate(chain);
    OWNED(bio) BIO *out = BIO_new(BIO_s_mem());
    if (!key || !certificate || !out || X509_check_private_key(certificate, key) != 1)
        return failed(err, ERR_PARK,
                      "the authority's issuing key and its certificate do not belong together");
    if (open_request(request_text, &request, err) < 0 ||
        sign(X509_REQ_get0_pubkey(request), key, certificate, wish, out, err) < 0)
        return -1;
    if (wish->use != CERT_ISSUING && BIO_puts(out, issuer->chain) <= 0)
        return failed(err, ERR_BUG, "a certificate cannot be made");
    *ret = text_of(out);
    return 0;
}

int cert_root_make(const char *key_text, const struct cert_wish *wish, char **ret, struct err *err) {
    OWNED(key) EVP_PKEY *key = read_key(key_text);
    OWNED(bio) BIO *out = BIO_new(BIO_s_mem());
    if (!key || !out)
        return failed(err, ERR_PARK, "this is no private key (PEM)");
    if (sign(key, key, NULL, wish, out, err) < 0)
        return -1;
    *ret = text_of(out);
    return 0;
}

static int64_t time_of(const ASN1_TIME *time) {
    struct tm tm = {0};
    return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) * CLOCK_S : 0;
}

static void entry_of(X509 *certificate, int nid, char out[CERT_NAME_SIZE]) {
    if (X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), nid, out, CERT_NAME_SIZE) < 0)
        out[0] = '\0';
}

int cert_read(const char *pem, struct cert_facts *ret, struct err *err) {
    OWNED(bio) BIO *bio = BIO_new_mem_buf(pem, -1);
    OWNED(certificate) X509 *certificate = read_certificate(bio);
    uint8_t print[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (!certificate || X509_digest(certificate, EVP_sha256(), print, &n) != 1 || n != 32)
        return failed(err, ERR_PARK, "this is no certificate (PEM)");
    *ret = (struct cert_facts){.from_us = time_of(X509_get0_notBefore(certificate)),
                               .until_us = time_of(X509_get0_notAfter(certificate))};
    OWNED(number) BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *hex = serial ? BN_bn2hex(serial) : NULL;
    for (size_t i = 0; hex && hex[i] && i < CERT_SERIAL_SIZE - 1; i++)
        ret->serial[i] = (char)(hex[i] >= 'A' && hex[i] <= 'F' ? hex[i] - 'A' + 'a' : hex[i]);
    OPENSSL_free(hex);
    entry_of(certificate, NID_commonName, ret->name);
    entry_of(certificate, NID_organizationName, ret->unit);
    hex_encode(ret->fingerprint, print, n);
    return 0;
}

/* The rest of a chain, for whoever builds the way to the root. */
static STACK_OF(X509) * read_rest(BIO *bio) {
    STACK_OF(X509) *rest = sk_X509_new_null();
    X509 *next;
    while (rest && (next = read_certificate(bio)))
        if (sk_X509_push(rest, next) <= 0)
            X509_free(next);
    ERR_clear_error(); /* the end of a text is an error to the library */
    return rest;
}

static int judge(X509 *certificate, STACK_OF(X509) * rest, X509 *root, struct err *err) {
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    int rc = 0;
    if (!store || !ctx || X509_STORE_add_cert(store, root) != 1 ||
        X509_STORE_CTX_init(ctx, store, certificate, rest) != 1 ||
        X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT) != 1)
        rc = failed(err, ERR_BUG, "a certificate cannot be judged");
    if (rc == 0)
        X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_NO_CHECK_TIME);
    if (rc == 0 && X509_verify_cert(ctx) != 1)
        rc = err_set(err, ERR_PARK, "the certificate is not good: %s",
                     X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return rc;
}

int cert_check(const char *chain, const char *root_text, const char *key_text, struct err *err) {
    OWNED(bio) BIO *bio = BIO_new_mem_buf(chain, -1), *root_bio = BIO_new_mem_buf(root_text, -1);
    OWNED(certificate) X509 *certificate = read_certificate(bio), *root = read_certificate(root_bio);
    OWNED(key) EVP_PKEY *key = read_key(key_text);
    if (!certificate || !root || !key)
        return failed(err, ERR_PARK, "the certificate, its root or its key cannot be read (PEM)");
    if (X509_check_private_key(certificate, key) != 1)
        return failed(err, ERR_PARK, "the certificate is for another key");
    STACK_OF(X509) *rest = read_rest(bio);
    int rc = judge(certificate, rest, root, err);
    sk_X509_pop_free(rest, X509_free);
    ERR_clear_error();
    return rc;
}

int cert_sign(const char *key_text, const void *p, size_t n, uint8_t out[CERT_SIGNATURE_MAX], size_t *ret_n,
              struct err *err) {
    OWNED(key) EVP_PKEY *key = read_key(key_text);
    OWNED(digest) EVP_MD_CTX *digest = EVP_MD_CTX_new();
    *ret_n = CERT_SIGNATURE_MAX;
    if (!key || !is_p256(key))
        return failed(err, ERR_PARK, "this is no private key of the curve P-256 (PEM)");
    if (!digest || EVP_DigestSignInit(digest, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(digest, out, ret_n, p, n) != 1)
        return failed(err, ERR_BUG, "a signature cannot be made");
    return 0;
}

bool cert_verify(const char *certificate_text, const void *p, size_t n, const void *signature,
                 size_t signature_n) {
    OWNED(bio) BIO *bio = BIO_new_mem_buf(certificate_text, -1);
    OWNED(certificate) X509 *certificate = read_certificate(bio);
    OWNED(digest) EVP_MD_CTX *digest = EVP_MD_CTX_new();
    EVP_PKEY *key = certificate ? X509_get0_pubkey(certificate) : NULL;
    bool good = key && digest && is_p256(key) &&
                EVP_DigestVerifyInit(digest, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestVerify(digest, signature, signature_n, p, n) == 1;
    ERR_clear_error(); /* a bad signature is an error to the library */
    return good;
}
