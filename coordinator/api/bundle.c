/* Nodes without a link: what they should hold goes out in one answer, signed as it would be in their topics;
 * what they said comes back in requests, and goes the way of all reports. */
#include "node/bundle.h"

#include "base/str.h"
#include "coordinator/api/api.h"
#include "coordinator/heartbeat.h"
#include "coordinator/key_sets.h"
#include "coordinator/letters.h"
#include "coordinator/signing.h"
#include "coordinator/topics.h"
#include "node/envelope.h"
#include "sql/queries.h"

#include <string.h>

#define INTERVAL_S 3600 /* of its heartbeat: who hears by file expects no next one */

/* The node that was named. *ret_why NULL: it goes by files; else what to answer. NULL: *err says why. */
static PGresult *find_node(struct api_call *call, struct pg *pg, int *ret_status, const char **ret_code,
                           const char **ret_why, struct err *err) {
    struct pg_params params = {.arena = &call->request->arena};
    pg_params_text(&params, call->rest);
    PGresult *found = pg_run(pg, query_node_link, &params, err);
    *ret_status = 409;
    *ret_why = NULL;
    if (found && PQntuples(found) == 0) {
        *ret_status = 404;
        *ret_code = "not_found";
        *ret_why = arena_printf(&call->request->arena, "There is no node \"%.80s\".", call->rest);
    } else if (found && !str_eq(pg_text(found, 0, 2), "file")) {
        *ret_code = "has_link";
        *ret_why =
            "This node has a link, and is told and heard by it. A plane goes by files if it was made so: "
            "fairlead plane create --mode private --link file.";
    } else if (found && !str_eq(pg_text(found, 0, 1), "ready")) {
        *ret_code = "not_ready";
        *ret_why = str_eq(pg_text(found, 0, 1), "retired") ? "This node was revoked."
                   : str_eq(pg_text(found, 0, 1), "enrolled")
                       ? "This node has joined a moment ago: ask again."
                       : "This node has not joined yet.";
    }
    return found;
}

static void add_record(json_t *records, const char *topic, struct bytes key, struct bytes value,
                       struct arena *arena) {
    (void)json_array_append_new(records, json_pack("{s:s, s:s, s:s}", "topic", topic, "key",
                                                   sign_base64(key.p, key.n, arena), "value",
                                                   sign_base64(value.p, value.n, arena)));
}

static void add_images(json_t *images, const char *of_set) {
    cleanup_json json_t *set = of_set ? json_loads(of_set, 0, NULL) : NULL;
    const char *name;
    json_t *image;
    json_object_foreach(set, name, image) {
        size_t i;
        json_t *known;
        bool is_new = true;
        json_array_foreach(images, i, known) is_new = is_new && !json_equal(known, image);
        if (is_new)
            (void)json_array_append(images, image);
    }
}

static void add_documents(PGresult *head, PGresult *documents, json_t *records, json_t *images,
                          struct arena *arena) {
    struct uuid node = pg_uuid(head, 0, 0);
    for (int i = 0; i < PQntuples(documents); i++) {
        char topic[TOPIC_NAME_SIZE];
        cleanup_str struct str key = STR_INIT(128);
        key_of_document(&key, node, pg_uuid(documents, i, 0), pg_text(documents, i, 1),
                        pg_text(documents, i, 2));
        add_record(records, topic_of_document(node, pg_uuid(documents, i, 3), topic),
                   (struct bytes){key.s, key.n},
                   (struct bytes){PQgetvalue(documents, i, 4), (size_t)PQgetlength(documents, i, 4)}, arena);
        add_images(images, PQgetisnull(documents, i, 5) ? NULL : pg_text(documents, i, 5));
    }
}

/* The keys that sign first, and last what it all should come to. */
static json_t *compose(struct api_call *call, PGresult *head, PGresult *documents, int64_t unfinished) {
    struct arena *arena = &call->request->arena;
    char topic[TOPIC_NAME_SIZE], id[UUID_HEX_SIZE];
    struct uuid node = pg_uuid(head, 0, 0);
    struct outbox_row heartbeat = {0};
    cleanup_json json_t *records = json_array(), *images = json_array();
    topic_of_node(node, pg_uuid(head, 0, 4), topic);
    if (!PQgetisnull(head, 0, 6))
        add_record(records, topic, key_of_word(node, "keys", arena),
                   (struct bytes){PQgetvalue(head, 0, 6), (size_t)PQgetlength(head, 0, 6)}, arena);
    add_documents(head, documents, records, images, arena);
    heartbeat_record(signing_key(call->api->signing), head, 0, INTERVAL_S, arena, &heartbeat);
    add_record(records, topic, heartbeat.key, heartbeat.value, arena);
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:O, s:O}", "node", uuid_hex(node, id), "name",
                     call->rest, "made_at", pg_text(head, 0, 7), "link", "file", "documents",
                     (json_int_t)PQntuples(documents), "unfinished", (json_int_t)unfinished, "records",
                     records, "images", images);
}

static PGresult *ask_documents(struct api_call *call, struct pg *pg, PGresult *head, struct err *err) {
    struct pg_params params = {.arena = &call->request->arena};
    pg_params_uuid(&params, pg_uuid(head, 0, 0));
    pg_params_bool(&params, str_eq(httpd_query(call->request, "all"), "true"));
    return pg_run(pg, query_bundle_documents, &params, err);
}

/* In one look: the heartbeat is about these very documents. NULL: there is none, and *err says why, or the
 * node is none any more. */
static json_t *look(struct api_call *call, struct pg *pg, struct uuid node, struct err *err) {
    struct pg_params params = {.arena = &call->request->arena}, of = {.arena = &call->request->arena};
    pg_params_text(&params, call->rest);
    pg_params_uuid(&of, node);
    if (pg_script(pg, "begin isolation level repeatable read", err) < 0 ||
        key_sets_follow(pg, call->api->signing, NULL, err) < 0)
        return NULL;
    cleanup_result PGresult *head = pg_run(pg, query_bundle_head, &params, err);
    cleanup_result PGresult *documents = head && PQntuples(head) ? ask_documents(call, pg, head, err) : NULL;
    cleanup_result PGresult *unfinished = documents ? pg_run(pg, query_bundle_unfinished, &of, err) : NULL;
    return unfinished && pg_script(pg, "commit", err) == 0
               ? compose(call, head, documents, pg_int(unfinished, 0, 0))
               : NULL;
}

static void bundle(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    int status;
    const char *code = NULL, *why;
    cleanup_result PGresult *node = find_node(call, pg, &status, &code, &why, &err);
    if (node && why) {
        api_refuse(call->request, status, code, why);
        return;
    }
    cleanup_json json_t *body = node ? look(call, pg, pg_uuid(node, 0, 0), &err) : NULL;
    if (!body) {
        pg_rollback(pg);
        api_refuse_error(call->request, &err);
        return;
    }
    char *text = json_text(body);
    if (strlen(text) <= BUNDLE_BYTES_MAX) {
        api_answer(call->request, 200, text);
        return;
    }
    free(text);
    api_refuse(call->request, 409, "too_large", "What this node should hold is more than one file may have.");
}

void node_bundle(struct api_call *call) {
    api_at_desk(call, bundle);
}

/* ---- what comes back ---- */

struct said {
    const void *p;
    size_t n;
};

/* Judged again by who reads it: here it is so that whoever brought the wrong file is told. */
static bool is_signed_by(struct api_call *call, struct pg *pg, struct uuid node, const struct said *said,
                         struct err *err) {
    struct pg_params params = {.arena = &call->request->arena};
    struct keyring ring = {0};
    struct opened opened;
    pg_params_uuids(&params, &node, 1);
    cleanup_result PGresult *keys = pg_run(pg, query_nodes_keys, &params, err);
    if (!keys)
        return false;
    if (PQntuples(keys) == 1 && PQgetlength(keys, 0, 1) == SIGN_PUBLIC_SIZE)
        (void)keyring_add(&ring, (const uint8_t *)PQgetvalue(keys, 0, 1));
    return envelope_open(&ring, said->p, said->n, params.arena, &opened, err) == 0 &&
           str_eq(opened.type, ENVELOPE_REPORTS);
}

static int pass_on(struct api_call *call, struct pg *pg, void *data, struct uuid seed, struct api_done *ret,
                   struct err *err) {
    const struct said *said = data;
    struct arena *arena = &call->request->arena;
    struct letters letters = {.pg = pg, .arena = arena};
    struct err why = {0};
    (void)seed;
    int status;
    const char *code = NULL, *no;
    cleanup_result PGresult *found = find_node(call, pg, &status, &code, &no, err);
    if (!found)
        return -1;
    if (no) {
        api_done_refusal(call, ret, status, code, no);
        return 0;
    }
    struct uuid node = pg_uuid(found, 0, 0);
    if (!is_signed_by(call, pg, node, said, &why)) {
        if (why.cls == ERR_RETRY)
            *err = why;
        else
            api_done_refusal(call, ret, 422, "not_of_this_node",
                             "These are no reports that this node has signed with the keys that it has now.");
        return why.cls == ERR_RETRY ? -1 : 0;
    }
    struct outbox_row *letter = letter_add(&letters, TOPIC_REPORTS, "record");
    letter->partition = -1;
    letter->key = (struct bytes){arena_memdup(arena, node.b, sizeof node.b), sizeof node.b};
    letter->value = (struct bytes){said->p, said->n};
    *ret = (struct api_done){.status = 204};
    return letters_write(&letters, err);
}

void node_reports(struct api_call *call) {
    static const struct api_once once = {.kind = "reports", .work = pass_on};
    cleanup_json json_t *body = api_body(call);
    if (!body)
        return;
    struct said *said = arena_new(&call->request->arena, struct said);
    said->p = sign_unbase64(json_str(body, "reports"), &call->request->arena, &said->n);
    if (said->p)
        api_once(call, &once, said);
    else
        api_refuse(call->request, 422, "invalid", "\"reports\" is no base64.");
}
