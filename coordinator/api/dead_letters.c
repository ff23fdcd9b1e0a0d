/* Dead letters: records that could not be used go once more through the door they came by. */
#include "coordinator/api/api.h"
#include "sql/queries.h"

static int retry(struct api_call *call, struct pg *pg, void *data, struct uuid seed, struct api_done *ret,
                 struct err *err) {
    const struct uuid *id = data;
    struct pg_params params = {.arena = &call->request->arena}, find = {.arena = &call->request->arena};
    (void)seed;
    pg_params_text(&find, call->rest);
    cleanup_result PGresult *found = pg_run(pg, query_dead_letters_get, &find, err);
    if (!found)
        return -1;
    if (PQntuples(found) == 0) {
        api_done_refusal(call, ret, 404, "not_found", "There is no such dead letter.");
        return 0;
    }
    pg_params_uuid(&params, *id);
    cleanup_result PGresult *sent = pg_run(pg, query_dead_letters_retry, &params, err);
    if (!sent)
        return -1;
    *ret = (struct api_done){.status = 202, .body = "{\"status\":\"sent again\"}"};
    if (PQntuples(sent) == 0)
        api_done_refusal(call, ret, 409, "not_retryable",
                         "This record was not kept whole, or names no node: it can only be dropped.");
    return 0;
}

void dead_letter_retry(struct api_call *call) {
    static const struct api_once once = {.kind = "dead letter retry", .work = retry};
    struct uuid *id = arena_new(&call->request->arena, struct uuid);
    if (uuid_parse(call->rest, id))
        api_once(call, &once, id);
    else
        api_refuse(call->request, 404, "not_found", "There is no such dead letter.");
}
