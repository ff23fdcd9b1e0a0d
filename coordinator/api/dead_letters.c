/* Dead letters: records that could not be used go once more through the door they came by. */
#include "coordinator/api/api.h"
#include "sql/queries.h"

static void retry(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    struct uuid id = {0};
    struct pg_params params = {.arena = &call->request->arena};
    (void)uuid_parse(call->rest, &id);
    pg_params_uuid(&params, id);
    cleanup_result PGresult *res = pg_run(pg, query_dead_letters_retry, &params, &err);
    if (!res) {
        api_refuse_busy(call->request);
    } else if (PQntuples(res) == 0) {
        api_refuse(call->request, 409, "not_retryable",
                   "This record is gone, was not kept whole, or names no node: it can only be dropped.");
    } else {
        call->api->wake_relay(call->api->arg, 1u << 1);
        api_answer(call->request, 202, mem_strdup("{\"status\":\"sent again\"}"));
    }
}

void dead_letter_retry(struct api_call *call) {
    struct uuid id;
    if (uuid_parse(call->rest, &id))
        api_at_desk(call, retry);
    else
        api_refuse(call->request, 404, "not_found", "There is no such dead letter.");
}
