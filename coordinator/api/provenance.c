/* What the images of an instance were built from: the statements that its documents carry, each in an
 * envelope (DSSE) that whoever has the coordinator's public key can judge without us. */
#include "model/provenance.h"

#include "base/json.h"
#include "coordinator/api/instances.h"
#include "coordinator/signing.h"
#include "sql/queries.h"

#include <string.h>

static json_t *envelope_of(struct api_call *call, const char *statement) {
    const struct sign_keys *keys = signing_key(call->api->signing);
    struct arena *arena = &call->request->arena;
    uint8_t signature[SIGN_SIZE], id[SIGN_KEY_ID_SIZE];
    char id_hex[2 * SIGN_KEY_ID_SIZE + 1];
    sign_make(keys, PROVENANCE_MEDIA, statement, strlen(statement), signature);
    sign_key_id(keys->sign_public, id);
    hex_encode(id_hex, id, sizeof id);
    return json_pack("{s:s, s:s, s:[{s:s, s:s}]}", "payloadType", PROVENANCE_MEDIA, "payload",
                     sign_base64(statement, strlen(statement), arena), "signatures", "keyid", id_hex, "sig",
                     sign_base64(signature, sizeof signature, arena));
}

/* One that cannot be read is shown as none. */
static json_t *item_of(struct api_call *call, const char *name, const char *image, const char *statement) {
    struct provenance read;
    struct err err = {0};
    if (!statement || provenance_read(statement, image, &call->request->arena, &read, &err) < 0)
        return json_pack("{s:s, s:s, s:n, s:n, s:n, s:n}", "name", name, "image", image, "image_id", "source",
                         "commit", "envelope");
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "name", name, "image", image, "image_id",
                     read.image_id, "source", read.source, "commit", read.commit, "envelope",
                     envelope_of(call, statement));
}

static void provenance(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    struct uuid id;
    struct pg_params params = {.arena = &call->request->arena};
    (void)uuid_parse(call->rest, &id);
    pg_params_uuid(&params, id);
    cleanup_result PGresult *res = pg_run(pg, query_instance_provenance, &params, &err);
    if (!res) {
        api_refuse_error(call->request, &err);
        return;
    }
    if (PQntuples(res) == 0 && !instance_is_there(call, pg))
        return;
    cleanup_json json_t *items = json_array();
    for (int i = 0; i < PQntuples(res); i++)
        (void)json_array_append_new(items, item_of(call, pg_text(res, i, 0), pg_text(res, i, 1),
                                                   PQgetisnull(res, i, 2) ? NULL : pg_text(res, i, 2)));
    cleanup_json json_t *body = json_pack("{s:O}", "items", items);
    api_answer(call->request, 200, json_text(body));
}

void instance_provenance(struct api_call *call) {
    struct uuid id;
    if (instance_parse_id(call, &id))
        api_read(call, provenance);
}
