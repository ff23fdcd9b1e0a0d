/* The clock that timers go by: what stops or removes is held after a jump, until somebody accepts it. */
#include "coordinator/api/api.h"
#include "sql/queries.h"

static void get(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    cleanup_result PGresult *res = pg_run(pg, query_clock_get, NULL, &err);
    if (res)
        api_answer(call->request, 200, mem_strdup(pg_text(res, 0, 0)));
    else
        api_refuse_error(call->request, &err);
}

void clock_get(struct api_call *call) {
    api_at_desk(call, get);
}

static int accept_jump(struct api_call *call, struct pg *pg, void *data, struct uuid seed,
                       struct api_done *ret, struct err *err) {
    (void)data, (void)seed;
    cleanup_result PGresult *accepted = pg_run(pg, query_clock_accept, NULL, err);
    cleanup_result PGresult *now = accepted ? pg_run(pg, query_clock_get, NULL, err) : NULL;
    if (!now)
        return -1;
    *ret = (struct api_done){.status = 200, .body = arena_strdup(&call->request->arena, pg_text(now, 0, 0))};
    return 0;
}

void clock_accept(struct api_call *call) {
    static const struct api_once once = {
        .kind = "clock accept", .work = accept_jump, .stored = api_wake_clock};
    api_once(call, &once, NULL);
}
