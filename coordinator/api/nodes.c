/* Nodes join (protocol section 11): an operator asks for a one-time code, which is stored hashed; the node
 * uses it up and leaves its public keys, proving that it holds the private half. */
#include "base/fault.h"
#include "base/str.h"
#include "coordinator/api/certificates.h"
#include "coordinator/key_sets.h"
#include "coordinator/topics.h"
#include "model/labels.h"
#include "node/envelope.h"
#include "sql/queries.h"

#include <pthread.h>
#include <string.h>

#define CODE_SIZE 16

/* Two desks, one connection to Redis. */
static pthread_mutex_t presence_mutex = PTHREAD_MUTEX_INITIALIZER;

static const char *no_node(const struct api_call *call) {
    return arena_printf(&call->request->arena, "There is no node \"%.80s\".", call->rest);
}

static PGresult *find_node(const struct api_call *call, struct pg *pg, struct err *err) {
    struct pg_params params = {.arena = &call->request->arena};
    pg_params_text(&params, call->rest);
    return pg_run(pg, query_nodes_get, &params, err);
}

static void get(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    cleanup_result PGresult *found = find_node(call, pg, &err);
    if (!found) {
        api_refuse_error(call->request, &err);
        return;
    }
    if (PQntuples(found) == 0) {
        api_refuse(call->request, 404, "not_found", no_node(call));
        return;
    }
    pthread_mutex_lock(&presence_mutex);
    cleanup_free char *said = presence_get(call->api->presence, pg_uuid(found, 0, 0));
    pthread_mutex_unlock(&presence_mutex);
    cleanup_json json_t *body = json_loads(pg_text(found, 0, 1), 0, NULL);
    cleanup_json json_t *presence = said ? json_loads(said, 0, NULL) : NULL;
    if (presence)
        (void)json_object_set(body, "presence", presence);
    api_answer(call->request, 200, json_text(body));
}

void node_get(struct api_call *call) {
    api_read(call, get);
}

/* The code of a request to invite: nobody but us can make it, and we can make it again. It is stored nowhere.
 */
static void code_of(const struct api *api, struct uuid request, uint8_t ret[CODE_SIZE]) {
    uint8_t signature[SIGN_SIZE];
    sign_make(signing_key(api->signing), "fairlead.invite.v1", request.b, sizeof request.b, signature);
    memcpy(ret, hash_of(signature, sizeof signature).b, CODE_SIZE);
}

/* The row about the node that was named: 1; 0: there is none, and *ret says so; -1: no answer. */
static int found_node(const struct api_call *call, PGresult *res, struct api_done *ret) {
    if (!res)
        return -1;
    if (PQntuples(res))
        return 1;
    api_done_refusal(call, ret, 404, "not_found", no_node(call));
    return 0;
}

static struct api_done done_with(struct api_call *call, int status, const json_t *body) {
    cleanup_free char *text = json_text(body);
    return (struct api_done){.status = status, .body = arena_strdup(&call->request->arena, text)};
}

static int invite(struct api_call *call, struct pg *pg, void *data, struct uuid seed, struct api_done *ret,
                  struct err *err) {
    struct arena *arena = &call->request->arena;
    struct pg_params params = {.arena = arena};
    uint8_t code[CODE_SIZE];
    (void)data;
    cleanup_result PGresult *found = find_node(call, pg, err);
    int there = found_node(call, found, ret);
    if (there <= 0)
        return there;
    code_of(call->api, seed, code);
    struct hash hash = hash_of(code, sizeof code);
    pg_params_uuid(&params, pg_uuid(found, 0, 0));
    pg_params_bytes(&params, hash.b, sizeof hash.b);
    cleanup_result PGresult *stored = pg_run(pg, query_invite, &params, err);
    if (!stored)
        return -1;
    cleanup_json json_t *body =
        json_pack("{s:s, s:I}", "node", call->rest, "valid_s", (json_int_t)pg_int(stored, 0, 0));
    *ret = done_with(call, 201, body);
    return 0;
}

static char *add_token(struct api_call *call, struct uuid request, const char *kept) {
    uint8_t code[CODE_SIZE];
    char code_hex[2 * CODE_SIZE + 1], print[HASH_HEX_SIZE];
    cleanup_json json_t *body = json_loads(kept, 0, NULL);
    code_of(call->api, request, code);
    hex_encode(code_hex, code, sizeof code);
    hash_hex(hash_of(signing_key(call->api->signing)->sign_public, SIGN_PUBLIC_SIZE), print);
    (void)json_object_set_new(body, "token",
                              json_sprintf("fairlead1.%s.%.32s.%s", code_hex, print, call->api->node_url));
    return json_text(body);
}

void node_invite(struct api_call *call) {
    static const struct api_once once = {.kind = "invite", .work = invite, .reveal = add_token};
    api_once(call, &once, NULL);
}

static int give_address(struct api_call *call, struct pg *pg, void *data, struct uuid seed,
                        struct api_done *ret, struct err *err) {
    struct pg_params params = {.arena = &call->request->arena};
    (void)seed;
    pg_params_text(&params, call->rest);
    pg_params_text(&params, data);
    cleanup_result PGresult *moved = pg_run(pg, query_nodes_move, &params, err);
    int there = found_node(call, moved, ret);
    if (there <= 0)
        return there;
    cleanup_json json_t *body = json_pack("{s:s, s:s, s:I}", "node", call->rest, "address", data, "instances",
                                          (json_int_t)pg_int(moved, 0, 0));
    *ret = done_with(call, 200, body);
    return 0;
}

/* Its machine has moved in the network: documents that name it go out anew, without a walk. Names that lead
 * to an edge are mended by the watches that see them go astray. */
void node_address(struct api_call *call) {
    static const struct api_once once = {.kind = "address", .work = give_address, .stored = api_wake_clock};
    cleanup_json json_t *body = api_body(call);
    if (body)
        api_once(call, &once, arena_strdup(&call->request->arena, json_str(body, "address")));
}

static int label(struct api_call *call, struct pg *pg, void *data, struct uuid seed, struct api_done *ret,
                 struct err *err) {
    struct pg_params params = {.arena = &call->request->arena};
    (void)seed;
    pg_params_text(&params, call->rest);
    pg_params_text(&params, data);
    cleanup_result PGresult *labelled = pg_run(pg, query_nodes_label, &params, err);
    int there = found_node(call, labelled, ret);
    if (there <= 0)
        return there;
    cleanup_json json_t *body =
        json_pack("{s:s, s:o}", "node", call->rest, "labels", json_loads(pg_text(labelled, 0, 0), 0, NULL));
    *ret = done_with(call, 200, body);
    return 0;
}

void node_labels(struct api_call *call) {
    static const struct api_once once = {.kind = "labels", .work = label, .stored = api_wake_clock};
    struct arena *arena = &call->request->arena;
    cleanup_json json_t *body = api_body(call);
    if (!body)
        return;
    const char *labels = labels_of_json(arena, json_object_get(body, "labels"));
    api_once(call, &once, arena_strdup(arena, labels ? labels : ""));
}

static int revoke(struct api_call *call, struct pg *pg, void *data, struct uuid seed, struct api_done *ret,
                  struct err *err) {
    struct pg_params params = {.arena = &call->request->arena};
    (void)data, (void)seed;
    pg_params_text(&params, call->rest);
    cleanup_result PGresult *revoked = pg_run(pg, query_nodes_revoke, &params, err);
    int there = found_node(call, revoked, ret);
    if (there <= 0)
        return there;
    cleanup_json json_t *body = json_pack("{s:s, s:s}", "node", call->rest, "state", "retired");
    *ret = done_with(call, 200, body);
    return 0;
}

static void wake_topics(struct api_call *call, struct uuid request) {
    (void)request;
    call->api->wake_topics(call->api->arg);
}

/* What it says counts no more from the commit on; what it may with Kafka ends when the step of its topic has
 * told the broker. An invitation lets it in again, as somebody new. */
void node_revoke(struct api_call *call) {
    static const struct api_once once = {.kind = "revoke", .work = revoke, .stored = wake_topics};
    cleanup_json json_t *body = api_body(call);
    if (body)
        api_once(call, &once, NULL);
}

struct enrolment {
    uint8_t
        bytes[CODE_SIZE + SIGN_PUBLIC_SIZE + SEAL_PUBLIC_SIZE]; /* code, sign key, seal key: what is proved */
    const char *request; /* for a certificate; NULL: none is asked for */
    bool has_recovery;
    uint8_t recovery[SEAL_PUBLIC_SIZE]; /* of an agent: the public half of its customer's recovery key */
};

static json_t *welcome(const struct api_call *call, PGresult *node, const char *chain, const char *recovery,
                       const char *key_set) {
    const struct sign_keys *keys = signing_key(call->api->signing);
    bool is_private = !uuid_is_nil(pg_uuid(node, 0, 5));
    char id[UUID_HEX_SIZE], topic[TOPIC_NAME_SIZE], sign_hex[65], seal_hex[65], proof_hex[129];
    uint8_t proof[SIGN_SIZE];
    struct uuid node_id = pg_uuid(node, 0, 0);
    /* The node pins the sign key by the token's fingerprint; this binds the seal key to it. */
    sign_make(keys, ENVELOPE_ENROL, keys->seal_public, SEAL_PUBLIC_SIZE, proof);
    hex_encode(sign_hex, keys->sign_public, SIGN_PUBLIC_SIZE);
    hex_encode(seal_hex, keys->seal_public, SEAL_PUBLIC_SIZE);
    hex_encode(proof_hex, proof, sizeof proof);
    json_t *body =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:s*}", "node",
                  uuid_hex(node_id, id), "name", pg_text(node, 0, 1), "address", pg_text(node, 0, 3), "topic",
                  topic_of_node(node_id, pg_uuid(node, 0, 5), topic), "brokers", call->api->node_brokers,
                  "sign_key", sign_hex, "seal_key", seal_hex, "seal_proof", proof_hex, "certificate", chain,
                  "mode", is_private ? "private" : NULL, "recovery_key", recovery, "key_set", key_set, "link",
                  str_eq(pg_text(node, 0, 6), "online") ? NULL : pg_text(node, 0, 6));
    /* As a whole: over the link TLS vouches for it, and a file may have been in anybody's hands. */
    cleanup_free char *text = json_text(body);
    sign_make(keys, ENVELOPE_WELCOME, text, strlen(text), proof);
    hex_encode(proof_hex, proof, sizeof proof);
    (void)json_object_set_new(body, "proof", json_string(proof_hex));
    return body;
}

static const char bad_code[] =
    "This code is not valid: it was used, its time has passed, or it was never given.";

/* Anybody may ask: for a code that was never given nothing is written. */
static int is_given(struct api_call *call, struct pg *pg, const void *data, struct err *err) {
    const struct enrolment *enrolment = data;
    struct pg_params params = {.arena = &call->request->arena};
    struct hash hash = hash_of(enrolment->bytes, CODE_SIZE);
    pg_params_bytes(&params, hash.b, sizeof hash.b);
    cleanup_result PGresult *given = pg_run(pg, query_token_given, &params, err);
    if (!given)
        return -1;
    if (PQntuples(given))
        return 1;
    api_refuse(call->request, 401, "bad_code", bad_code);
    return 0;
}

/* Nobody is let in; why is told to who holds a good code. */
static int refuse_code(struct api_call *call, struct pg *pg, const struct enrolment *enrolment,
                       struct api_done *ret, struct err *err) {
    struct pg_params params = {.arena = &call->request->arena};
    struct hash hash = hash_of(enrolment->bytes, CODE_SIZE);
    pg_params_bytes(&params, hash.b, sizeof hash.b);
    pg_params_bytes(&params, enrolment->bytes + CODE_SIZE, SIGN_PUBLIC_SIZE);
    cleanup_result PGresult *revoked = pg_run(pg, query_enrol_revoked, &params, err);
    if (!revoked)
        return -1;
    if (PQntuples(revoked))
        api_done_refusal(
            call, ret, 422, "revoked_keys",
            "This node was revoked, and whoever has its old disk has these keys, too. Remove "
            "node.keys from its state folder, and enrol again; what was sealed to them is lost.");
    else
        api_done_refusal(call, ret, 401, "bad_code", bad_code);
    return 0;
}

static int enrol(struct api_call *call, struct pg *pg, void *data, struct uuid seed, struct api_done *ret,
                 struct err *err) {
    const struct enrolment *enrolment = data;
    struct arena *arena = &call->request->arena;
    struct pg_params params = {.arena = arena}, topic_params = {.arena = arena};
    char topic[TOPIC_NAME_SIZE];
    const char *chain = NULL, *key_set;
    struct hash hash = hash_of(enrolment->bytes, CODE_SIZE);
    (void)seed;
    pg_params_bytes(&params, hash.b, sizeof hash.b);
    pg_params_bytes(&params, enrolment->bytes + CODE_SIZE, SIGN_PUBLIC_SIZE);
    pg_params_bytes(&params, enrolment->bytes + CODE_SIZE + SIGN_PUBLIC_SIZE, SEAL_PUBLIC_SIZE);
    pg_params_bytes(&params, enrolment->has_recovery ? enrolment->recovery : NULL, SEAL_PUBLIC_SIZE);
    cleanup_result PGresult *node = pg_run(pg, query_enrol, &params, err);
    if (!node)
        return -1;
    if (PQntuples(node) == 0)
        return refuse_code(call, pg, enrolment, ret, err);
    if (call->api->authority && certificate_give(call, pg, pg_uuid(node, 0, 0), pg_int(node, 0, 4),
                                                 enrolment->request, &chain, err) < 0)
        return -1;
    struct uuid id = pg_uuid(node, 0, 0), plane = pg_uuid(node, 0, 5);
    pg_params_text(&topic_params, topic_of_node(id, plane, topic));
    pg_params_uuid_or_null(&topic_params, uuid_is_nil(plane) ? id : (struct uuid){{0}});
    pg_params_uuid_or_null(&topic_params, plane);
    PGresult *wanted = pg_run(pg, query_topics_want, &topic_params, err);
    PQclear(wanted);
    struct pg_params plane_params = {.arena = arena};
    pg_params_uuid(&plane_params, plane);
    cleanup_result PGresult *recovery = wanted ? pg_run(pg, query_plane_recovery, &plane_params, err) : NULL;
    if (!recovery || key_sets_released(pg, arena, &key_set, err) < 0)
        return -1;
    cleanup_json json_t *body =
        welcome(call, node, chain, PQntuples(recovery) ? pg_text(recovery, 0, 0) : NULL, key_set);
    *ret = done_with(call, 200, body);
    return 0;
}

static void enrolled(struct api_call *call, struct uuid request) {
    (void)request;
    (void)fault_reach(FAULT_ENROL_STORED);
    call->api->wake_topics(call->api->arg);
}

void node_enrol(struct api_call *call) {
    static const struct api_once once = {
        .kind = "enrol", .owner = "enrol", .admit = is_given, .work = enrol, .stored = enrolled};
    uint8_t proof[SIGN_SIZE];
    struct enrolment *enrolment = arena_new(&call->request->arena, struct enrolment);
    cleanup_json json_t *body = api_body(call);
    if (!body)
        return;
    uint8_t *sign_key = enrolment->bytes + CODE_SIZE, *seal_key = sign_key + SIGN_PUBLIC_SIZE;
    if (!hex_decode(enrolment->bytes, CODE_SIZE, json_str(body, "code")) ||
        !hex_decode(sign_key, SIGN_PUBLIC_SIZE, json_str(body, "sign_key")) ||
        !hex_decode(seal_key, SEAL_PUBLIC_SIZE, json_str(body, "seal_key")) ||
        !hex_decode(proof, SIGN_SIZE, json_str(body, "proof")) ||
        !sign_verify(sign_key, ENVELOPE_ENROL, enrolment->bytes, sizeof enrolment->bytes, proof,
                     sizeof proof)) {
        api_refuse(call->request, 422, "bad_proof", "The node has not proved that the keys are its own.");
        return;
    }
    const char *recovery = json_str(body, "recovery_key");
    enrolment->has_recovery = recovery && hex_decode(enrolment->recovery, SEAL_PUBLIC_SIZE, recovery);
    enrolment->request = arena_strdup(&call->request->arena, json_str(body, "request"));
    if (!call->api->authority || certificate_may_be_asked(call, enrolment->request))
        api_once(call, &once, enrolment);
}
