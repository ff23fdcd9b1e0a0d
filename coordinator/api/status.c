/* How it goes: the fleet at a glance. */
#include "base/str.h"
#include "coordinator/api/doctor.h"
#include "sql/queries.h"

static json_t *bad_ones(const json_t *checks) {
    json_t *bad = json_array(), *check;
    size_t i;
    json_array_foreach(checks, i, check) {
        if (!json_is_true(json_object_get(check, "ok")))
            (void)json_array_append(bad, check);
    }
    return bad;
}

static void status(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    cleanup_result PGresult *res = pg_run(pg, query_status, NULL, &err);
    if (!res) {
        api_refuse_error(call->request, &err);
        return;
    }
    cleanup_json json_t *body = json_loads(pg_text(res, 0, 0), 0, NULL), *checks = json_array();
    doctor_check_vitals(checks, pg, &call->request->arena);
    (void)json_object_set_new(body, "warnings", bad_ones(checks));
    api_answer(call->request, 200, json_text(body));
}

void status_get(struct api_call *call) {
    api_at_desk(call, status);
}
