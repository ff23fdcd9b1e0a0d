#include "coordinator/api/api.h"

void health_get(struct api_call *call) {
    api_answer(call->request, 200, mem_strdup("{\"status\":\"ok\"}"));
}

static void ready(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    if (pg_script(pg, "select 1", &err) < 0)
        api_refuse(call->request, 503, "no_database", "The database does not answer.");
    else
        api_answer(call->request, 200, mem_strdup("{\"status\":\"ready\"}"));
}

void ready_get(struct api_call *call) {
    api_at_desk(call, ready);
}
