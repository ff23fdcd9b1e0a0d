#include "coordinator/api/api.h"

#include <stdio.h>

void health_get(struct api_call *call) {
    api_answer(call->request, 200, mem_strdup("{\"status\":\"ok\"}"));
}

static void ready(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    int rc = pg_script(pg, "select 1", &err); /* after it, what the server last reported is known */
    if (rc == 0 && !pg_takes_writes(pg)) {
        rc = err_set(&err, ERR_RETRY, "the database takes no writes");
        (void)snprintf(err.code, sizeof err.code, PG_READ_ONLY);
    }
    if (rc == 0 && !access_is_ready(call->api->access)) {
        rc = err_set(&err, ERR_RETRY, "what tokens there are is not known yet");
        (void)snprintf(err.code, sizeof err.code, PG_AWAY);
    }
    if (rc < 0)
        api_refuse_error(call->request, &err);
    else
        api_answer(call->request, 200, mem_strdup("{\"status\":\"ready\"}"));
}

void ready_get(struct api_call *call) {
    api_at_desk(call, ready);
}
