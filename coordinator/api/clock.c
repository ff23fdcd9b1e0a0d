/* The clock that timers go by: what stops or removes is held after a jump, until somebody accepts it. */
#include "coordinator/api/api.h"
#include "sql/queries.h"

static void get(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    cleanup_result PGresult *res = pg_run(pg, query_clock_get, NULL, &err);
    if (res)
        api_answer(call->request, 200, mem_strdup(pg_text(res, 0, 0)));
    else
        api_refuse_busy(call->request);
}

void clock_get(struct api_call *call) {
    api_at_desk(call, get);
}

static void accept_jump(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    cleanup_result PGresult *res = pg_run(pg, query_clock_accept, NULL, &err);
    if (!res) {
        api_refuse_busy(call->request);
        return;
    }
    call->api->wake_clock(call->api->arg);
    get(call, pg);
}

void clock_accept(struct api_call *call) {
    api_at_desk(call, accept_jump);
}
