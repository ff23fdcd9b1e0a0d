#include "node/node.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/http.h"
#include "node/envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE_SIZE 16

struct token {
    uint8_t code[CODE_SIZE];
    char fingerprint[33], url[256];
};

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
    return 0;
}

static char *enrol_body(const struct token *token, const struct sign_keys *keys) {
    uint8_t bytes[CODE_SIZE + SIGN_PUBLIC_SIZE + SEAL_PUBLIC_SIZE], proof[SIGN_SIZE];
    char code[2 * CODE_SIZE + 1], sign_hex[65], seal_hex[65], proof_hex[129];
    memcpy(bytes, token->code, CODE_SIZE);
    memcpy(bytes + CODE_SIZE, keys->sign_public, SIGN_PUBLIC_SIZE);
    memcpy(bytes + CODE_SIZE + SIGN_PUBLIC_SIZE, keys->seal_public, SEAL_PUBLIC_SIZE);
    sign_make(keys, ENVELOPE_ENROL, bytes, sizeof bytes, proof);
    hex_encode(code, token->code, CODE_SIZE);
    hex_encode(sign_hex, keys->sign_public, SIGN_PUBLIC_SIZE);
    hex_encode(seal_hex, keys->seal_public, SEAL_PUBLIC_SIZE);
    hex_encode(proof_hex, proof, sizeof proof);
    cleanup_json json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "code", code, "sign_key", sign_hex,
                                          "seal_key", seal_hex, "proof", proof_hex);
    return json_text(body);
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

static int ask(const struct token *token, const struct sign_keys *keys, json_t **ret, struct err *err) {
    char url[320], key[HASH_HEX_SIZE], header[128];
    const char *const headers[] = {header, NULL};
    cleanup_free char *body = enrol_body(token, keys);
    (void)snprintf(url, sizeof url, "%s/v1/enrol", token->url);
    enrol_key(token, keys, key);
    (void)snprintf(header, sizeof header, "Idempotency-Key: %s", key);
    struct http_call call = HTTP_CALL_INIT(65536);
    call.method = "POST";
    call.url = url;
    call.headers = headers;
    call.body = body;
    call.timeout_us = 15000000;
    int rc = http_run(&call, err);
    if (rc == 0) {
        json_t *answer = json_parse(str_text(&call.answer), call.answer.n, err);
        if (!answer)
            rc = -1;
        else if (call.status != 200)
            rc = err_set(err, call.status >= 500 ? ERR_RETRY : ERR_PARK, "the coordinator refused: %s",
                         json_str(answer, "detail") ? json_str(answer, "detail") : "no reason given");
        if (rc == 0)
            *ret = json_incref(answer);
        json_decref(answer);
    }
    http_release(&call);
    return rc;
}

static void path_of(const char *state, const char *name, char out[512]) {
    (void)snprintf(out, 512, "%s/%s", state, name);
}

/* One that enrols again keeps its keys: what is sealed to them on its disk stays readable. They are kept
 * before anybody is asked: with others the answer to the same code would be no. */
static int load_or_make(struct sign_keys *keys, const char *path, struct err *err) {
    if (file_exists(path))
        return sign_keys_load(keys, path, err);
    sign_keys_make(keys);
    return sign_keys_save(keys, path, err);
}

int node_enrol(const char *state, const char *token_text, struct node_identity *ret, struct err *err) {
    struct token token = {0};
    struct sign_keys keys;
    char path[512];
    cleanup_json json_t *welcome = NULL;
    if (parse_token(token_text, &token, err) < 0 || file_mkdirs(state, 0700, err) < 0)
        return -1;
    path_of(state, "node.keys", path);
    if (load_or_make(&keys, path, err) < 0 || fault_check(FAULT_ENROL_KEYS, err) < 0 ||
        ask(&token, &keys, &welcome, err) < 0 || check_welcome(welcome, token.fingerprint, err) < 0 ||
        fault_check(FAULT_ENROL_ASKED, err) < 0)
        return -1;
    cleanup_free char *text = json_text(welcome);
    path_of(state, "node.json", path);
    if (file_write(path, text, strlen(text), 0600, err) < 0)
        return -1;
    return node_load(state, ret, err);
}

int node_load(const char *state, struct node_identity *ret, struct err *err) {
    char path[512];
    uint8_t sign_key[SIGN_PUBLIC_SIZE];
    cleanup_free char *text = NULL;
    size_t n;
    path_of(state, "node.json", path);
    if (!file_exists(path))
        return err_set(err, ERR_PARK,
                       "this node has not enrolled: run \"fairlead-worker enrol TOKEN\" first");
    if (file_read_secret(path, 65536, &text, &n, err) < 0)
        return -1;
    cleanup_json json_t *json = json_parse(text, n, err);
    if (!json)
        return -1;
    *ret = (struct node_identity){0};
    if (!json_str(json, "name") || !json_str(json, "address") || !json_str(json, "brokers") ||
        !json_str(json, "topic") || !json_str(json, "sign_key") || !json_str(json, "seal_key") ||
        !uuid_parse(json_str(json, "node"), &ret->id) ||
        !hex_decode(sign_key, sizeof sign_key, json_str(json, "sign_key")) ||
        !keyring_add(&ret->coordinator, sign_key) ||
        !hex_decode(ret->coordinator_seal, SEAL_PUBLIC_SIZE, json_str(json, "seal_key")))
        return err_set(err, ERR_PARK, "\"%s\" is not whole: enrol again", path);
    (void)snprintf(ret->name, sizeof ret->name, "%s", json_str(json, "name"));
    (void)snprintf(ret->address, sizeof ret->address, "%s", json_str(json, "address"));
    (void)snprintf(ret->brokers, sizeof ret->brokers, "%s", json_str(json, "brokers"));
    (void)snprintf(ret->topic, sizeof ret->topic, "%s", json_str(json, "topic"));
    path_of(state, "node.keys", path);
    return sign_keys_load(&ret->keys, path, err);
}
