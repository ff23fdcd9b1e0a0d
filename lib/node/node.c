#include "node/node.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/http.h"
#include "node/node_own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *node_path(const char *state, const char *name, char out[NODE_PATH_SIZE]) {
    (void)snprintf(out, NODE_PATH_SIZE, "%s/%s", state, name);
    return out;
}

/* With or without one: a node on the coordinator's own machine may have none. */
static void find_certificate(const char *state, struct node_identity *node) {
    if (!file_exists(node_path(state, "authority.pem", node->root)) ||
        !file_exists(node_path(state, "node.pem", node->cert)))
        node->root[0] = node->cert[0] = '\0';
}

int node_load(const char *state, struct node_identity *ret, struct err *err) {
    char path[512];
    uint8_t sign_key[SIGN_PUBLIC_SIZE], seal_key[SEAL_PUBLIC_SIZE];
    cleanup_free char *text = NULL;
    size_t n;
    node_path(state, "node.json", path);
    if (!file_exists(path))
        return err_set(err, ERR_PARK, "this node has not enrolled: run it with \"enrol TOKEN\" first");
    if (file_read_secret(path, 65536, &text, &n, err) < 0)
        return -1;
    cleanup_json json_t *json = json_parse(text, n, err);
    if (!json)
        return -1;
    *ret = (struct node_identity){0};
    find_certificate(state, ret);
    if (!json_str(json, "name") || !json_str(json, "address") || !json_str(json, "brokers") ||
        !json_str(json, "topic") || !json_str(json, "sign_key") || !json_str(json, "seal_key") ||
        !uuid_parse(json_str(json, "node"), &ret->id) ||
        !hex_decode(sign_key, sizeof sign_key, json_str(json, "sign_key")) ||
        !hex_decode(seal_key, sizeof seal_key, json_str(json, "seal_key")))
        return err_set(err, ERR_PARK, "\"%s\" is not whole: enrol again", path);
    ret->coordinator = key_set_first(sign_key, seal_key);
    (void)snprintf(ret->state, sizeof ret->state, "%s", state);
    (void)snprintf(ret->name, sizeof ret->name, "%s", json_str(json, "name"));
    (void)snprintf(ret->address, sizeof ret->address, "%s", json_str(json, "address"));
    (void)snprintf(ret->brokers, sizeof ret->brokers, "%s", json_str(json, "brokers"));
    (void)snprintf(ret->topic, sizeof ret->topic, "%s", json_str(json, "topic"));
    ret->is_private = str_eq(json_str(json, "mode"), "private");
    ret->by_file = ret->is_private && str_eq(json_str(json, "link"), "file");
    const char *recovery = json_str(json, "recovery_key");
    if (ret->is_private && (!recovery || !hex_decode(ret->recovery, SEAL_PUBLIC_SIZE, recovery)))
        return err_set(err, ERR_PARK, "\"%s\" is not whole: enrol again", path);
    (void)snprintf(ret->url, sizeof ret->url, "%s", json_str(json, "url") ? json_str(json, "url") : "");
    node_path(state, "node.keys", path);
    return sign_keys_load(&ret->keys, path, err) < 0 ? -1 : node_load_keys(ret, err);
}

int node_certificate(const struct node_identity *node, struct cert_facts *ret, struct err *err) {
    cleanup_free char *chain = NULL;
    return file_read_secret(node->cert, CERT_PEM_MAX, &chain, NULL, err) < 0 || cert_read(chain, ret, err) < 0
               ? -1
               : 0;
}

int node_keep_certificate(const char *state, const char *key, const char *chain, const char *root,
                          struct err *err) {
    char path[NODE_PATH_SIZE];
    cleanup_str struct str both = STR_INIT(CERT_PEM_MAX);
    str_adds(&both, key);
    str_adds(&both, chain);
    if (cert_check(chain, root, key, err) < 0 ||
        file_write(node_path(state, "authority.pem", path), root, strlen(root), 0600, err) < 0 ||
        file_write(node_path(state, "node.pem", path), str_text(&both), both.n, 0600, err) < 0)
        return -1;
    return fault_check(FAULT_CERTIFICATE_KEPT, err);
}

static int judge(const struct http_call *call, const json_t *answer, long *ret_status, struct err *err) {
    const char *detail = json_str(answer, "detail");
    *ret_status = call->status;
    if (call->status < 300)
        return 0;
    return err_set(err, call->status >= 500 || call->status == 429 ? ERR_RETRY : ERR_PARK,
                   "the coordinator refused: %s", detail ? detail : "no reason given");
}

int node_ask(const struct node_question *question, long *ret_status, json_t **ret, struct err *err) {
    char url[400], header[128];
    const char *const headers[] = {question->key ? header : NULL, NULL};
    cleanup_free char *body = question->body ? json_text(question->body) : NULL;
    *ret_status = 0;
    (void)snprintf(url, sizeof url, "%s%s", question->url, question->path);
    (void)snprintf(header, sizeof header, "Idempotency-Key: %s", question->key ? question->key : "");
    struct http_call call = HTTP_CALL_INIT(CERT_PEM_MAX);
    call.method = question->method;
    call.url = url;
    call.headers = headers;
    call.body = body;
    call.ca = question->ca;
    call.unverified = question->unverified;
    call.timeout_us = 15000000;
    call.outward = true;
    int rc = http_run(&call, err);
    cleanup_json json_t *answer = rc == 0 ? json_parse(str_text(&call.answer), call.answer.n, err) : NULL;
    if (rc == 0 && answer)
        rc = judge(&call, answer, ret_status, err);
    else if (rc == 0 && (call.status == 429 || call.status >= 500)) /* the gate before it, not in our words */
        rc = err_set(err, ERR_RETRY,
                     "the coordinator at \"%s\" is not to be had just now (status %ld): ask again",
                     question->url, call.status);
    else if (rc == 0)
        rc = err_set(err, ERR_RETRY, "what answers at \"%s\" is no coordinator", question->url);
    if (rc == 0)
        *ret = json_incref(answer);
    http_release(&call);
    return rc;
}
