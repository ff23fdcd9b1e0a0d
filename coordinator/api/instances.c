/* Instances: requests become inputs of the engine; reads are views. */
#include "coordinator/api/instances.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/str.h"
#include "model/labels.h"
#include "sql/queries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEADLINE_US (8 * CLOCK_S) /* of a request that nobody has begun */

/* An input and what belongs to it, in the request's arena but for the body. */
struct call_input {
    struct input input;
    struct httpd_request *request;
    json_t *body;
};

/* What became of a request: counted, and said with its trace. */
static void note(const struct input *input, const struct err *err) {
    const char *kind = input->kind == INPUT_CREATE ? "create" : intent_rows[input->event.intent].name;
    bool accepted = !err && input->answer.status < 300;
    char labels[48];
    (void)snprintf(labels, sizeof labels, "%s|%s", kind, accepted ? "accepted" : err ? "failed" : "refused");
    metric_add(METRIC_INTENTS, labels, 1);
    metric_observe_us(METRIC_REQUEST_SECONDS, "", clock_mono_us() - (input->deadline - DEADLINE_US));
    log_info("request", LOG_S("intent", kind), LOG_S("name", input->create.name ? input->create.name : ""),
             LOG_I("status", err ? 503 : input->answer.status),
             LOG_S("trace", input->trace ? input->trace : ""));
}

static void done(struct input *input, const struct err *err) {
    struct call_input *mine = input->owner;
    json_t *body = mine->body;
    struct answer answer = input->answer;
    note(input, err);
    if (!err)
        api_answer_with(mine->request, answer.status, answer.body, answer.etag, answer.location);
    else
        api_refuse_error(mine->request, err);
    free(answer.location);
    json_decref(body);
}

static void submit(struct api_call *call, struct call_input *mine) {
    struct audit_row *audit = arena_new(&call->request->arena, struct audit_row);
    *audit = api_audit_row(call, 202);
    audit->request_id = mine->input.seed;
    audit->trace = mine->input.trace;
    mine->input.audit = audit;
    mine->input.reach = call->principal->reach;
    mine->request = call->request;
    mine->input.owner = mine;
    mine->input.done = done;
    mine->input.deadline = clock_mono_us() + DEADLINE_US;
    json_t *body = mine->body;
    if (engine_submit(call->api->engine, &mine->input))
        return;
    api_refuse(call->request, 503, "busy", "Too much is going on just now. Try again in a second.");
    json_decref(body);
}

void instance_create(struct api_call *call) {
    struct call_input *mine = arena_new(&call->request->arena, struct call_input);
    if (api_identify(call, &mine->input) < 0)
        return;
    mine->body = api_body(call);
    if (!mine->body)
        return;
    mine->input.kind = INPUT_CREATE;
    mine->input.create = (struct create_args){
        .app = json_str(mine->body, "app"),
        .version = json_str(mine->body, "version"),
        .customer = json_str(mine->body, "customer"),
        .tenant = json_str(mine->body, "tenant"),
        .plane = json_str(mine->body, "plane"),
        .size = json_str(mine->body, "size"),
        .name = json_str(mine->body, "name"),
        .host = json_str(mine->body, "host"),
        .requires = labels_of_json(&call->request->arena, json_object_get(mine->body, "requires")),
        .prefers = labels_of_json(&call->request->arena, json_object_get(mine->body, "prefers")),
        .inputs = json_object_get(mine->body, "inputs"),
        .trial_days = json_int(mine->body, "trial_days", -1),
    };
    submit(call, mine);
}

bool instance_parse_id(struct api_call *call, struct uuid *ret) {
    if (uuid_parse(call->rest, ret))
        return true;
    api_refuse(call->request, 404, "not_found", "There is no such instance.");
    return false;
}

void instance_intent(struct api_call *call) {
    enum intent_kind kind = *(const enum intent_kind *)call->data;
    struct call_input *mine = arena_new(&call->request->arena, struct call_input);
    if (!instance_parse_id(call, &mine->input.instance_id) || api_identify(call, &mine->input) < 0)
        return;
    const char *match = httpd_header(call->request, "If-Match");
    if (match && !str_eq(match, "*")) {
        char number[24] = "";
        size_t n = strlen(match);
        if (n > 2 && n < sizeof number && match[0] == '"' && match[n - 1] == '"')
            memcpy(number, match + 1, n - 2);
        if (!str_to_int(number, 1, INT64_MAX, &mine->input.if_match)) {
            api_refuse(call->request, 412, "changed", "If-Match must be an ETag of this instance.");
            return;
        }
    }
    mine->body = api_body(call);
    if (!mine->body)
        return;
    if (json_object_get(mine->body, "days") && json_object_get(mine->body, "until")) {
        api_refuse(call->request, 422, "bad_body", "days and until: one of them.");
        json_decref(mine->body);
        return;
    }
    const char *until = json_str(mine->body, "until");
    int64_t end;
    if (until && clock_parse(until, &end) && end <= clock_wall_us()) {
        api_refuse(call->request, 422, "bad_body",
                   "until: must lie ahead; to end it now, delete it, or stop it.");
        json_decref(mine->body);
        return;
    }
    mine->input.kind = INPUT_INTENT;
    mine->input.event.intent = kind;
    mine->input.purge = str_eq(httpd_query(call->request, "purge"), "true");
    if (kind == INTENT_EXTEND) {
        cleanup_free char *text = json_text(mine->body);
        mine->input.event.params = arena_strdup(&call->request->arena, text);
    }
    submit(call, mine);
}

struct list_args {
    struct uuid after; /* nil: from the first */
    const char *customer, *tenant, *name, *state;
};

static void list(struct api_call *call, struct pg *pg) {
    const struct list_args *args = call->request->owner;
    struct err err = {0};
    const int limit = 100;
    struct pg_params params = {.arena = &call->request->arena};
    pg_params_uuid(&params, args->after);
    pg_params_int(&params, limit + 1);
    pg_params_text(&params, args->customer);
    pg_params_text(&params, args->tenant);
    pg_params_text(&params, args->name);
    pg_params_text(&params, args->state);
    cleanup_result PGresult *res = pg_run(pg, query_instances_list, &params, &err);
    if (!res) {
        api_refuse_error(call->request, &err);
        return;
    }
    api_answer_page(call, res, limit);
}

static bool is_state(const char *name) {
    for (int i = 0; i < STATE_COUNT; i++)
        if (str_eq(state_rows[i].name, name))
            return true;
    return false;
}

static void refuse_state(struct api_call *call) {
    cleanup_str struct str sentence = STR_INIT(400);
    str_adds(&sentence, "\"state\" must be one of: ");
    for (int i = 0; i < STATE_COUNT; i++)
        str_addf(&sentence, "%s%s", i ? ", " : "", state_rows[i].name);
    str_adds(&sentence, ".");
    api_refuse(call->request, 400, "bad_state", str_text(&sentence));
}

void instance_list(struct api_call *call) {
    struct httpd_request *request = call->request;
    struct list_args *args = arena_new(&request->arena, struct list_args);
    *args = (struct list_args){
        .customer = arena_strdup(&request->arena, httpd_query(request, "customer")),
        .tenant = arena_strdup(&request->arena, httpd_query(request, "tenant")),
        .name = arena_strdup(&request->arena, httpd_query(request, "name")),
        .state = arena_strdup(&request->arena, httpd_query(request, "state")),
    };
    const char *after = httpd_query(request, "after");
    if (after && *after && !uuid_parse(after, &args->after)) {
        api_refuse_cursor(call);
        return;
    }
    if (args->state && !is_state(args->state)) {
        refuse_state(call);
        return;
    }
    request->owner = args;
    api_read(call, list);
}

static void get(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    struct uuid id;
    struct pg_params params = {.arena = &call->request->arena};
    (void)uuid_parse(call->rest, &id);
    pg_params_uuid(&params, id);
    cleanup_result PGresult *res = pg_run(pg, query_instances_get, &params, &err);
    if (!res)
        api_refuse_error(call->request, &err);
    else if (PQntuples(res) == 0)
        api_refuse(call->request, 404, "not_found", "There is no such instance.");
    else
        api_answer_with(call->request, 200, mem_strdup(pg_text(res, 0, 1)), pg_int(res, 0, 2), NULL);
}

void instance_get(struct api_call *call) {
    struct uuid id;
    if (instance_parse_id(call, &id))
        api_read(call, get);
}

/* Rows of JSON under one key. */
static void answer_rows(struct api_call *call, PGresult *res, int column) {
    cleanup_str struct str out = STR_INIT(16 * 1024 * 1024);
    str_adds(&out, "{\"items\":[");
    for (int i = 0; i < PQntuples(res); i++)
        str_addf(&out, "%s%s", i ? "," : "", pg_text(res, i, column));
    str_adds(&out, "]}");
    api_answer(call->request, 200, mem_strdup(str_text(&out)));
}

bool instance_is_there(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    struct uuid id;
    struct pg_params params = {.arena = &call->request->arena};
    (void)uuid_parse(call->rest, &id);
    pg_params_uuid(&params, id);
    cleanup_result PGresult *res = pg_run(pg, query_instances_get, &params, &err);
    if (!res)
        api_refuse_error(call->request, &err);
    else if (PQntuples(res) == 0)
        api_refuse(call->request, 404, "not_found", "There is no such instance.");
    return res && PQntuples(res);
}

/* What was found about an instance; where it is nothing, there may be no such instance. */
static void answer_found(struct api_call *call, struct pg *pg, PGresult *res, int column,
                         const struct err *err) {
    if (!res)
        api_refuse_error(call->request, err);
    else if (PQntuples(res) || instance_is_there(call, pg))
        answer_rows(call, res, column);
}

static void steps(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    struct uuid id;
    struct pg_params params = {.arena = &call->request->arena};
    (void)uuid_parse(call->rest, &id);
    pg_params_uuid(&params, id);
    cleanup_result PGresult *res = pg_run(pg, query_instance_steps, &params, &err);
    answer_found(call, pg, res, 0, &err);
}

void instance_steps(struct api_call *call) {
    struct uuid id;
    if (instance_parse_id(call, &id))
        api_read(call, steps);
}

static void events(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    struct uuid id;
    struct pg_params params = {.arena = &call->request->arena};
    (void)uuid_parse(call->rest, &id);
    pg_params_uuid(&params, id);
    pg_params_int(&params, *(const int64_t *)call->request->owner);
    pg_params_int(&params, 1000);
    cleanup_result PGresult *res = pg_run(pg, query_instance_events, &params, &err);
    answer_found(call, pg, res, 2, &err);
}

static void follow_events(struct api_call *call, struct pg *pg) {
    struct uuid id;
    (void)uuid_parse(call->rest, &id);
    if (instance_is_there(call, pg))
        follow_add(call->api->follow, call->request, call->principal, id,
                   *(const int64_t *)call->request->owner);
}

void instance_events(struct api_call *call) {
    struct uuid id;
    int64_t *after = arena_new(&call->request->arena, int64_t);
    const char *accept = httpd_header(call->request, "Accept"),
               *last = httpd_header(call->request, "Last-Event-ID");
    if (!instance_parse_id(call, &id))
        return;
    const char *given = last ? last : httpd_query(call->request, "after");
    if (given && !str_to_int(given, 0, INT64_MAX, after)) {
        api_refuse_cursor(call);
        return;
    }
    call->request->owner = after;
    bool follows = accept && strstr(accept, "text/event-stream");
    api_read(call, follows ? follow_events : events);
}
