/* A new certificate, asked for by the key that the coordinator knows since the node enrolled: what a network
 * or a long absence has done to the old one does not matter. The coordinator's challenge makes an old
 * question worthless: whoever has found an old key of a certificate cannot have it certified again by
 * repeating what the node once asked. */
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "node/envelope.h"
#include "node/node_own.h"

#include <stdlib.h>
#include <string.h>

static int ask_challenge(const struct node_identity *node, const char *id, char **ret, struct err *err) {
    cleanup_json json_t *body = json_pack("{s:s}", "node", id), *answer = NULL;
    const struct node_question question = {
        .method = "POST", .url = node->url, .path = "/v1/renew/challenge", .ca = node->root, .body = body};
    long status;
    if (node_ask(&question, &status, &answer, err) < 0)
        return -1;
    if (!json_str(answer, "challenge"))
        return err_set(err, ERR_RETRY, "the coordinator's answer lacks \"challenge\"");
    *ret = mem_strdup(json_str(answer, "challenge"));
    return 0;
}

static int ask(const struct node_identity *node, const char *challenge, const char *request, json_t **ret,
               struct err *err) {
    char id[UUID_HEX_SIZE], proof_hex[2 * SIGN_SIZE + 1];
    uint8_t proof[SIGN_SIZE];
    cleanup_str struct str said = STR_INIT(CERT_PEM_MAX);
    str_adds(&said, challenge);
    str_adds(&said, request);
    sign_make(&node->keys, ENVELOPE_RENEW, said.s, said.n, proof);
    hex_encode(proof_hex, proof, sizeof proof);
    cleanup_json json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "node", uuid_hex(node->id, id), "challenge",
                                          challenge, "request", request, "proof", proof_hex);
    const struct node_question question = {
        .method = "POST", .url = node->url, .path = "/v1/renew", .ca = node->root, .body = body};
    long status;
    return node_ask(&question, &status, ret, err);
}

/* Whoever owns the broker can keep a set of keys back, and the coordinator says it here, too. */
static void take_keys(struct node_identity *node, const json_t *answer) {
    uint8_t bytes[KEY_SET_BYTES_MAX];
    struct err err = {0};
    bool new;
    const char *hex = json_str(answer, "key_set");
    size_t n = hex ? strlen(hex) / 2 : 0;
    if (hex &&
        (n > sizeof bytes || !hex_decode(bytes, n, hex) || node_take_keys(node, bytes, n, &new, &err) < 0))
        log_error("the coordinator's set of keys was refused", LOG_S("error", err.text));
}

static int take(struct node_identity *node, const char *key, const json_t *answer, int64_t *ret_life_us,
                struct err *err) {
    cleanup_free char *root = NULL;
    const char *chain = json_str(answer, "certificate");
    json_int_t life_s = json_integer_value(json_object_get(answer, "valid_s"));
    if (!chain || life_s < 1)
        return err_set(err, ERR_RETRY, "the coordinator's answer lacks \"certificate\"");
    if (file_read(node->root, CERT_PEM_MAX, &root, NULL, err) < 0 ||
        node_keep_certificate(node->state, key, chain, root, err) < 0)
        return -1;
    atomic_fetch_add(&node->renewed, 1);
    take_keys(node, answer);
    *ret_life_us = life_s * CLOCK_S;
    return 0;
}

int node_renew(struct node_identity *node, int64_t *ret_life_us, struct err *err) {
    char id[UUID_HEX_SIZE];
    cleanup_free char *key = NULL, *request = NULL, *challenge = NULL;
    cleanup_json json_t *answer = NULL;
    uuid_hex(node->id, id);
    if (cert_key_make(&key, err) < 0 || cert_request_make(key, &request, err) < 0 ||
        ask_challenge(node, id, &challenge, err) < 0 || ask(node, challenge, request, &answer, err) < 0)
        return -1;
    return take(node, key, answer, ret_life_us, err);
}
