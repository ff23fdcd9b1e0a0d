/* What this coordinator is at, for whoever asks why nothing moves. */
#include "coordinator/api/api.h"
#include "sql/queries.h"

static json_t *show_engine(struct engine *engine) {
    struct engine_state state = engine_look(engine);
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "name", state.name, "waiting",
                     (json_int_t)state.waiting, "running", (json_int_t)state.running, "running_us",
                     (json_int_t)state.running_us, "batches", (json_int_t)state.batches, "inputs",
                     (json_int_t)state.inputs);
}

static void inside(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    cleanup_result PGresult *res = pg_run(pg, query_inside, NULL, &err);
    if (!res) {
        api_refuse_error(call->request, &err);
        return;
    }
    cleanup_json json_t *body = json_loads(pg_text(res, 0, 0), 0, NULL), *engines = json_array();
    (void)json_array_append_new(engines, show_engine(call->api->engine));
    if (call->api->other_engine)
        (void)json_array_append_new(engines, show_engine(call->api->other_engine));
    (void)json_object_set(body, "engines", engines);
    (void)json_object_set_new(body, "reads_waiting", json_integer(desk_waiting(call->api->desk)));
    (void)json_object_set_new(body, "checks_waiting", json_integer(desk_waiting(call->api->checks)));
    api_answer(call->request, 200, json_text(body));
}

/* Not at the desk: that may be what is stuck. */
void inside_get(struct api_call *call) {
    api_at_checks(call, inside);
}
