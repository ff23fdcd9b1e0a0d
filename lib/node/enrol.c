/* A node joins. Over TLS it cannot know beforehand who answers: it asks for the authority first, which says
 * nothing secret and is signed by the key whose fingerprint the token has, and tells its code only to whom
 * that vouches for. */
#include "base/fault.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/names.h"
#include "node/envelope.h"
#include "node/node_own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE_SIZE 16

struct token {
    uint8_t code[CODE_SIZE];
    char fingerprint[33], url[256];
};

/* The code is told in clear on this machine only. */
static int is_told_in_private(const char *url, struct err *err) {
    char at[300];
    if (str_starts(url, "https://"))
        return 0;
    (void)snprintf(at, sizeof at, "%s", str_starts(url, "http://") ? url + 7 : url);
    at[strcspn(at, "/")] = '\0';
    if (!strchr(at, ':'))
        (void)snprintf(at + strlen(at), sizeof at - strlen(at), ":80");
    if (name_is_loopback(at))
        return 0;
    return err_set(
        err, ERR_PARK,
        "the token leads to \"%s\": on another machine it must be https (the coordinator's option node-url)",
        url);
}

/* fairlead1.CODE.FINGERPRINT.URL */
static int parse_token(const char *text, struct token *token, struct err *err) {
    char code[2 * CODE_SIZE + 1] = "";
    const char *p = str_starts(text, "fairlead1.") ? text + 10 : NULL;
    if (!p || strlen(p) < 67 || strlen(p) > 300 || p[32] != '.' || p[65] != '.')
        return err_set(err, ERR_PARK, "this is not a token of \"fairlead node invite\"");
    memcpy(code, p, 32);
    memcpy(token->fingerprint, p + 33, 32);
    (void)snprintf(token->url, sizeof token->url, "%s", p + 66);
    if (!hex_decode(token->code, CODE_SIZE, code) || !str_starts(token->url, "http"))
        return err_set(err, ERR_PARK, "this is not a token of \"fairlead node invite\"");
    return is_told_in_private(token->url, err);
}

static json_t *enrol_body(const struct token *token, const struct sign_keys *keys, const char *request,
                          const uint8_t *recovery_key) {
    uint8_t bytes[CODE_SIZE + SIGN_PUBLIC_SIZE + SEAL_PUBLIC_SIZE], proof[SIGN_SIZE];
    char code[2 * CODE_SIZE + 1], sign_hex[65], seal_hex[65], proof_hex[129], recovery_hex[65];
    memcpy(bytes, token->code, CODE_SIZE);
    memcpy(bytes + CODE_SIZE, keys->sign_public, SIGN_PUBLIC_SIZE);
    memcpy(bytes + CODE_SIZE + SIGN_PUBLIC_SIZE, keys->seal_public, SEAL_PUBLIC_SIZE);
    sign_make(keys, ENVELOPE_ENROL, bytes, sizeof bytes, proof);
    hex_encode(code, token->code, CODE_SIZE);
    hex_encode(sign_hex, keys->sign_public, SIGN_PUBLIC_SIZE);
    hex_encode(seal_hex, keys->seal_public, SEAL_PUBLIC_SIZE);
    hex_encode(proof_hex, proof, sizeof proof);
    if (recovery_key)
        hex_encode(recovery_hex, recovery_key, SEAL_PUBLIC_SIZE);
    return json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s*}", "code", code, "sign_key", sign_hex, "seal_key",
                     seal_hex, "proof", proof_hex, "request", request, "recovery_key",
                     recovery_key ? recovery_hex : NULL);
}

/* The same for the same code and keys: a node whose answer was lost asks again, and gets it. */
static void enrol_key(const struct token *token, const struct sign_keys *keys, char out[HASH_HEX_SIZE]) {
    uint8_t bytes[CODE_SIZE + SIGN_PUBLIC_SIZE];
    memcpy(bytes, token->code, CODE_SIZE);
    memcpy(bytes + CODE_SIZE, keys->sign_public, SIGN_PUBLIC_SIZE);
    hash_hex(hash_of(bytes, sizeof bytes), out);
}

/* The answer as JSON of texts; the seal key must be signed by the key whose fingerprint the token has. */
static int check_welcome(const json_t *welcome, const char *fingerprint, struct err *err) {
    uint8_t sign_key[SIGN_PUBLIC_SIZE], seal_key[SEAL_PUBLIC_SIZE], proof[SIGN_SIZE];
    char print[HASH_HEX_SIZE];
    const char *const names[] = {"node",  "name",     "address",  "brokers",
                                 "topic", "sign_key", "seal_key", "seal_proof"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!json_str(welcome, names[i]))
            return err_set(err, ERR_PARK, "the coordinator's answer lacks \"%s\"", names[i]);
    if (!hex_decode(sign_key, sizeof sign_key, json_str(welcome, "sign_key")) ||
        !hex_decode(seal_key, sizeof seal_key, json_str(welcome, "seal_key")) ||
        !hex_decode(proof, sizeof proof, json_str(welcome, "seal_proof")))
        return err_set(err, ERR_PARK, "the coordinator's keys cannot be read");
    hash_hex(hash_of(sign_key, sizeof sign_key), print);
    if (strncmp(print, fingerprint, 32) != 0)
        return err_set(err, ERR_PARK, "whoever answered is not the coordinator that gave the token");
    if (!sign_verify(sign_key, ENVELOPE_ENROL, seal_key, sizeof seal_key, proof, sizeof proof))
        return err_set(err, ERR_PARK, "the coordinator's sealing key is not signed by it");
    return 0;
}

/* Whom secrets are sealed to besides is the customer's word: a key that no machine of theirs has made is
 * nobody's. */
static int check_recovery(const json_t *welcome, const struct node_recovery *recovery, struct err *err) {
    uint8_t key[SEAL_PUBLIC_SIZE];
    const char *hex = json_str(welcome, "recovery_key");
    if (!str_eq(json_str(welcome, "mode"), "private") || !recovery)
        return 0; /* which program it is for is judged when it begins */
    if (!hex || !hex_decode(key, sizeof key, hex))
        return err_set(err, ERR_PARK, "the coordinator's answer lacks \"recovery_key\"");
    if (memcmp(key, recovery->own, sizeof key) == 0 ||
        (recovery->known && memcmp(key, recovery->known, sizeof key) == 0))
        return 0;
    return err_set(
        err, ERR_PARK,
        "the plane has the recovery key %s, which this machine does not know: if it is that of the plane's "
        "first machine, enrol with the same token and --plane-key %s; else somebody else would open your "
        "secrets",
        hex, hex);
}

/* The key of its certificate, with the request for one: kept for this code, because signatures of P-256
 * differ each time, and the same code is answered again only where the same is asked. Another code is another
 * key: who has an old disk has not that. */
struct request {
    char *key, *text;
};

static void release_request(struct request *request) {
    free(request->key);
    free(request->text);
}

/* False: there is none, or it was for another code. */
static bool read_request(const char *path, const char *of_code, struct request *ret) {
    cleanup_free char *text = NULL;
    if (!file_exists(path) || file_read_secret(path, CERT_PEM_MAX, &text, NULL, NULL) < 0)
        return false;
    char *request = strstr(text, "-----BEGIN CERTIFICATE REQUEST-----"),
         *key = strstr(text, "-----BEGIN PRIVATE KEY-----");
    if (!request || !key || key > request || !str_starts(text, of_code))
        return false;
    ret->text = mem_strdup(request);
    *request = '\0';
    ret->key = mem_strdup(key);
    return true;
}

static int load_or_make_request(const char *state, const struct token *token, struct request *ret,
                                struct err *err) {
    char path[NODE_PATH_SIZE], of_code[HASH_HEX_SIZE];
    cleanup_str struct str kept = STR_INIT(CERT_PEM_MAX);
    hash_hex(hash_of(token->code, sizeof token->code), of_code);
    if (read_request(node_path(state, "node.request.pem", path), of_code, ret))
        return 0;
    if (cert_key_make(&ret->key, err) < 0 || cert_request_make(ret->key, &ret->text, err) < 0)
        return -1;
    str_addf(&kept, "%s\n%s%s", of_code, ret->key, ret->text);
    return file_write(path, str_text(&kept), kept.n, 0600, err);
}

/* Whoever answered has the key that the token names, and says which root is the coordinator's. */
static int check_authority(const struct token *token, const json_t *answer, const char **ret_root,
                           struct err *err) {
    uint8_t sign_key[SIGN_PUBLIC_SIZE], proof[SIGN_SIZE];
    char print[HASH_HEX_SIZE];
    const char *root = json_str(answer, "root");
    if (!root || !json_str(answer, "sign_key") || !json_str(answer, "proof") ||
        !hex_decode(sign_key, sizeof sign_key, json_str(answer, "sign_key")) ||
        !hex_decode(proof, sizeof proof, json_str(answer, "proof")))
        return err_set(err, ERR_PARK, "this is no answer of a coordinator: it names no authority");
    hash_hex(hash_of(sign_key, sizeof sign_key), print);
    if (strncmp(print, token->fingerprint, 32) != 0)
        return err_set(
            err, ERR_PARK,
            "whoever answered is not the coordinator that gave the token; or its key has changed since, and "
            "another token will do");
    if (!sign_verify(sign_key, ENVELOPE_AUTHORITY, root, strlen(root), proof, sizeof proof))
        return err_set(err, ERR_PARK, "whoever answered is not the coordinator that gave the token");
    *ret_root = root;
    return 0;
}

/* *ret NULL: it has none, or is an older one. The caller frees it. */
static int ask_authority(const struct token *token, json_t **ret, struct err *err) {
    const struct node_question question = {
        .method = "GET", .url = token->url, .path = "/v1/authority", .unverified = true};
    long status;
    return node_ask(&question, &status, ret, err) < 0 && status != 404 ? -1 : 0;
}

/* Its own file while it is only asked for: what a running program goes by changes when it has joined. */
#define ASKED_ROOT "authority.asked.pem"

static int ask(const char *state, const struct token *token, const char *root, json_t *body, const char *key,
               json_t **ret, struct err *err) {
    char path[NODE_PATH_SIZE];
    struct node_question question = {
        .method = "POST", .url = token->url, .path = "/v1/enrol", .body = body, .key = key};
    long status;
    node_path(state, ASKED_ROOT, path);
    if (*root) { /* else the machine's own authorities count, where it is https */
        question.ca = path;
        if (file_write(path, root, strlen(root), 0600, err) < 0)
            return -1;
    }
    int rc = node_ask(&question, &status, ret, err);
    return file_remove(path, rc == 0 ? err : NULL) < 0 ? -1 : rc;
}

/* Where there is no authority (any more), what was shown to another is no use, and would be shown. */
static int forget_certificate(const char *state, struct err *err) {
    char path[NODE_PATH_SIZE];
    return file_remove(node_path(state, "node.pem", path), err) < 0 ||
                   file_remove(node_path(state, "authority.pem", path), err) < 0
               ? -1
               : 0;
}

/* With the keys of the coordinator as its root knows them: those of an earlier enrolment are no use. */
static int keep_keys(const char *state, const json_t *welcome, const char *root, struct err *err) {
    uint8_t bytes[KEY_SET_BYTES_MAX];
    char path[NODE_PATH_SIZE];
    struct key_set set;
    const char *hex = *root ? json_str(welcome, "key_set") : NULL;
    size_t n = hex ? strlen(hex) / 2 : 0;
    node_path(state, NODE_KEYS, path);
    if (!hex)
        return file_remove(path, err);
    if (n > sizeof bytes || !hex_decode(bytes, n, hex))
        return err_set(err, ERR_PARK, "the coordinator's set of keys cannot be read");
    return key_set_open(root, bytes, n, &set, err) < 0 ? -1 : file_write(path, bytes, n, 0600, err);
}

/* Where there is an authority a welcome without a certificate is none. */
static int keep(const char *state, const struct token *token, json_t *welcome, const char *root,
                const struct request *request, struct err *err) {
    char path[NODE_PATH_SIZE];
    const char *chain = json_str(welcome, "certificate");
    if (*root && !chain)
        return err_set(err, ERR_PARK, "the coordinator's answer lacks \"certificate\"");
    if ((*root ? node_keep_certificate(state, request->key, chain, root, err)
               : forget_certificate(state, err)) < 0 ||
        keep_keys(state, welcome, root, err) < 0)
        return -1;
    (void)json_object_set_new(welcome, "url", json_string(token->url));
    cleanup_free char *text = json_text(welcome);
    return file_write(node_path(state, "node.json", path), text, strlen(text), 0600, err);
}

/* What a join begins with; a second try finds the same. */
struct joining {
    struct token token;
    struct sign_keys keys;
    struct request request;
};

static void end_joining(struct joining *joining) {
    release_request(&joining->request);
}

/* The coordinator said all of this, to whoever may have carried it; and it is for a machine without a link.
 */
static int check_carried(const struct token *token, const json_t *welcome, struct err *err) {
    uint8_t sign_key[SIGN_PUBLIC_SIZE], proof[SIGN_SIZE];
    char print[HASH_HEX_SIZE];
    cleanup_json json_t *said = json_copy((json_t *)(uintptr_t)welcome);
    const char *key = json_str(welcome, "sign_key"), *hex = json_str(welcome, "proof");
    bool whole =
        key && hex && hex_decode(sign_key, sizeof sign_key, key) && hex_decode(proof, sizeof proof, hex);
    (void)json_object_del(said, "proof");
    cleanup_free char *text = json_text(said);
    if (!whole || strncmp(hash_hex(hash_of(sign_key, sizeof sign_key), print), token->fingerprint, 32) != 0 ||
        !sign_verify(sign_key, ENVELOPE_WELCOME, text, strlen(text), proof, sizeof proof))
        return err_set(err, ERR_PARK,
                       "this is no answer of \"fairlead node enrol\", or not as the coordinator gave it");
    if (!str_eq(json_str(welcome, "mode"), "private") || !str_eq(json_str(welcome, "link"), "file"))
        return err_set(err, ERR_PARK, "the plane of this node has a link: enrol TOKEN joins by it");
    return 0;
}

/* Nothing is made: the answer is to what was asked. */
static int begin_again(const char *state, const char *token_text, struct joining *joining, struct err *err) {
    char path[NODE_PATH_SIZE], of_code[HASH_HEX_SIZE];
    if (parse_token(token_text, &joining->token, err) < 0)
        return -1;
    hash_hex(hash_of(joining->token.code, sizeof joining->token.code), of_code);
    if (!read_request(node_path(state, "node.request.pem", path), of_code, &joining->request))
        return err_set(err, ERR_PARK,
                       "nothing was asked here with this token: enrol ask TOKEN FILE, or the token of that");
    return sign_keys_load(&joining->keys, node_path(state, "node.keys", path), err);
}

static int begin(const char *state, const char *token_text, struct joining *joining, struct err *err) {
    char path[NODE_PATH_SIZE];
    if (parse_token(token_text, &joining->token, err) < 0 || file_mkdirs(state, 0700, err) < 0 ||
        load_or_make_request(state, &joining->token, &joining->request, err) < 0)
        return -1;
    /* One that enrols again keeps its keys: what is sealed to them on its disk stays readable. They are kept
     * before anybody is asked: with others the answer to the same code would be no. */
    return sign_keys_ensure(&joining->keys, node_path(state, "node.keys", path), NULL, err) < 0
               ? -1
               : fault_check(FAULT_ENROL_KEYS, err);
}

static int take_welcome(const char *state, const struct joining *joining, json_t *welcome, const char *root,
                        const struct node_recovery *recovery, struct node_identity *ret, struct err *err) {
    return check_welcome(welcome, joining->token.fingerprint, err) < 0 ||
                   check_recovery(welcome, recovery, err) < 0 || fault_check(FAULT_ENROL_ASKED, err) < 0 ||
                   keep(state, &joining->token, welcome, root, &joining->request, err) < 0
               ? -1
               : node_load(state, ret, err);
}

int node_enrol(const char *state, const char *token, const struct node_recovery *recovery,
               struct node_identity *ret, struct err *err) {
    __attribute__((cleanup(end_joining))) struct joining joining = {0};
    cleanup_json json_t *authority = NULL, *body = NULL, *welcome = NULL;
    char key[HASH_HEX_SIZE];
    const char *root = "";
    if (begin(state, token, &joining, err) < 0 || ask_authority(&joining.token, &authority, err) < 0 ||
        (authority && check_authority(&joining.token, authority, &root, err) < 0))
        return -1;
    body = enrol_body(&joining.token, &joining.keys, *root ? joining.request.text : NULL,
                      recovery ? recovery->own : NULL);
    enrol_key(&joining.token, &joining.keys, key);
    if (ask(state, &joining.token, root, body, key, &welcome, err) < 0)
        return -1;
    return take_welcome(state, &joining, welcome, root, recovery, ret, err);
}

int node_enrol_ask(const char *state, const char *token, const struct node_recovery *recovery, json_t **ret,
                   struct err *err) {
    __attribute__((cleanup(end_joining))) struct joining joining = {0};
    char key[HASH_HEX_SIZE];
    if (begin(state, token, &joining, err) < 0)
        return -1;
    enrol_key(&joining.token, &joining.keys, key);
    *ret = json_pack("{s:s, s:o}", "key", key, "body",
                     enrol_body(&joining.token, &joining.keys, joining.request.text, recovery->own));
    return 0;
}

int node_enrol_answer(const char *state, const char *token, const json_t *answer,
                      const struct node_recovery *recovery, struct node_identity *ret, struct err *err) {
    __attribute__((cleanup(end_joining))) struct joining joining = {0};
    json_t *welcome = json_object_get(answer, "welcome");
    const char *root;
    if (begin_again(state, token, &joining, err) < 0 ||
        check_authority(&joining.token, json_object_get(answer, "authority"), &root, err) < 0)
        return -1;
    if (check_carried(&joining.token, welcome, err) < 0)
        return -1;
    return take_welcome(state, &joining, welcome, root, recovery, ret, err);
}
