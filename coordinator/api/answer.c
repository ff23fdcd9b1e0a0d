/* How every handler answers, reads a body, and hands a call to somebody else. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/str.h"
#include "coordinator/api/api.h"
#include "coordinator/problem.h"
#include "sql/queries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void count_answer(int status) {
    static const char *const classes[] = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
    metric_add(METRIC_HTTP_REQUESTS, classes[status >= 100 && status < 600 ? status / 100 : 0], 1);
}

char *api_early_refusal(int status, const char *code, const char *sentence) {
    count_answer(status);
    return problem_text(status, code, sentence);
}

/* Tests see to it that what is told is what the table of routes says: 500 where it is not. */
static void check_answer(const struct httpd_request *request, int *status, char **body) {
#ifdef FAULTS
    struct err err = {0};
    const struct admitted *admitted = request->admitted;
    const struct route_row *route = admitted ? &route_rows[admitted->handler - api_handlers] : NULL;
    if (!route || *status >= 300 || route->shape == SHAPE_TEXT || (!*body && route->shape == SHAPE_NOTHING))
        return;
    cleanup_json json_t *answer = *body ? json_loads(*body, 0, NULL) : NULL;
    if (answer && route_check_answer(route, answer, &err) == 0)
        return;
    log_error("an answer is not as its route says", LOG_S("route", route->id), LOG_S("error", err.text));
    free(*body);
    *body = problem_text(*status = 500, "internal", err.text);
#else
    (void)request, (void)status, (void)body;
#endif
}

void api_answer_more(struct httpd_request *request, int status, char *body, const struct api_more *more) {
    check_answer(request, &status, &body);
    char tag[32], retry[16];
    int retry_s = more->retry_s ? more->retry_s : status == 503;
    (void)snprintf(tag, sizeof tag, "\"%lld\"", (long long)more->etag);
    (void)snprintf(retry, sizeof retry, "%d", retry_s);
    struct httpd_reply reply = {
        .status = status,
        .type = status >= 400 ? "application/problem+json" : "application/json",
        .body = body,
        .body_n = body ? strlen(body) : 0,
        .headers = {{"Location", more->location},
                    {"ETag", more->etag ? tag : NULL},
                    {"Retry-After", retry_s ? retry : NULL},
                    {"Set-Cookie", more->cookie},
                    {"WWW-Authenticate", status == 401 ? "Bearer" : NULL}},
    };
    count_answer(status);
    (void)fault_reach(FAULT_API_REPLY);
    httpd_answer(request, &reply);
    free(body);
}

void api_answer_with(struct httpd_request *request, int status, char *body, int64_t etag,
                     const char *location) {
    api_answer_more(request, status, body, &(struct api_more){.etag = etag, .location = location});
}

void api_answer(struct httpd_request *request, int status, char *body) {
    api_answer_with(request, status, body, 0, NULL);
}

void api_answer_page(struct api_call *call, PGresult *res, int limit) {
    cleanup_str struct str out = STR_INIT(16 * 1024 * 1024);
    int n = PQntuples(res) > limit ? limit : PQntuples(res);
    str_adds(&out, "{\"items\":[");
    for (int i = 0; i < n; i++)
        str_addf(&out, "%s%s", i ? "," : "", pg_text(res, i, 1));
    if (n < PQntuples(res))
        str_addf(&out, "],\"next\":\"%s\"}", pg_text(res, n - 1, 0));
    else
        str_adds(&out, "],\"next\":null}");
    api_answer(call->request, 200, mem_strdup(str_text(&out)));
}

void api_refuse(struct httpd_request *request, int status, const char *code, const char *sentence) {
    api_answer(request, status, problem_text(status, code, sentence));
}

void api_refuse_cursor(struct api_call *call) {
    api_refuse(call->request, 400, "bad_cursor",
               "\"after\" must be what \"next\" of the page before said, or the number of an event.");
}

/* Why nothing was done, by what PostgreSQL calls it; the last row is for all else that passes. */
static const struct {
    const char *sqlstate, *code, *sentence;
} causes[] = {
    {PG_AWAY, "no_database", "The database cannot be reached just now. Nothing was done; try again."},
    {PG_READ_ONLY, "read_only",
     "The database takes no writes just now (a failover, or a setting). Nothing was done; try again."},
    {PG_HELD, "held", "Something else is at work on this just now. Nothing was done; try again."},
    {PG_TOO_SLOW, "too_slow", "The database took too long over this. Nothing was done; try again."},
    {NULL, "busy", "Too much is going on just now. Nothing was done; try again."},
};

void api_refuse_error(struct httpd_request *request, const struct err *err) {
    size_t i = 0;
    if (err->cls != ERR_RETRY) {
        log_error("a request failed", LOG_S("path", request->path), LOG_S("error", err->text));
        api_refuse(request, 500, "internal", "Something went wrong here. It has been logged.");
        return;
    }
    while (causes[i].sqlstate && !str_eq(causes[i].sqlstate, err->code))
        i++;
    api_refuse(request, 503, causes[i].code, causes[i].sentence);
}

json_t *api_body(struct api_call *call) {
    struct httpd_request *request = call->request;
    struct err err = {0};
    const char *type = httpd_header(request, "Content-Type");
    if (request->body_n && type && !str_starts(type, "application/json")) {
        api_refuse(request, 400, "bad_type", "Send JSON, with the content type application/json.");
        return NULL;
    }
    json_t *body = request->body_n ? json_parse(request->body, request->body_n, &err) : json_object();
    if (!body) {
        api_refuse(request, 400, "bad_json", err.text);
        return NULL;
    }
    if (schema_check(body, call->route->body, 0, &err) == 0)
        return body;
    json_decref(body);
    api_refuse(request, 422, "bad_body", err.text);
    return NULL;
}

struct call_job {
    struct desk_job job;
    struct api_call call;
    void (*work)(struct api_call *call, struct pg *pg);
};

static void refuse_job(struct call_job *mine, const struct err *err) {
    log_warn("the database cannot be reached", LOG_S("error", err->text));
    api_refuse_error(mine->call.request, err);
}

static void run_call(struct desk_job *job, struct pg *pg, const struct err *err) {
    struct call_job *mine = (struct call_job *)job;
    if (pg)
        mine->work(&mine->call, pg);
    else
        refuse_job(mine, err);
}

/* Within a transaction that shows what the principal reaches; with its end nothing of that is left. */
static void run_walled(struct desk_job *job, struct pg *pg, const struct err *err) {
    struct call_job *mine = (struct call_job *)job;
    struct err failed = {0};
    if (!pg) {
        refuse_job(mine, err);
        return;
    }
    const struct reach *reach = &mine->call.principal->reach;
    struct pg_params params = {.arena = &mine->call.request->arena};
    pg_params_uuid_or_null(&params, reach->customer_id);
    pg_params_uuid_or_null(&params, reach->tenant_id);
    pg_params_uuid_or_null(&params, reach->plane_id);
    PGresult *set =
        pg_script(pg, "begin read only", &failed) == 0 ? pg_run(pg, query_reach_set, &params, &failed) : NULL;
    if (set)
        mine->work(&mine->call, pg); /* it answers: the call is gone */
    else
        refuse_job(mine, &failed);
    PQclear(set);
    pg_rollback(pg);
}

static void submit_call(struct desk *desk, const struct api_call *call,
                        void (*run)(struct desk_job *job, struct pg *pg, const struct err *err),
                        void (*work)(struct api_call *call, struct pg *pg)) {
    struct call_job *job = arena_new(&call->request->arena, struct call_job);
    job->job.run = run;
    job->call = *call;
    job->call.rest = arena_strdup(&call->request->arena, call->rest);
    job->work = work;
    struct err busy = {.cls = ERR_RETRY};
    if (!desk_submit(desk, &job->job))
        api_refuse_error(call->request, &busy);
}

void api_at_desk(const struct api_call *call, void (*work)(struct api_call *call, struct pg *pg)) {
    submit_call(call->api->desk, call, run_call, work);
}

void api_at_outside(const struct api_call *call, void (*work)(struct api_call *call, struct pg *pg)) {
    submit_call(call->api->outside, call, run_call, work);
}

void api_at_signs(const struct api_call *call, void (*work)(struct api_call *call, struct pg *pg)) {
    submit_call(call->api->signs, call, run_call, work);
}

void api_read(const struct api_call *call, void (*work)(struct api_call *call, struct pg *pg)) {
    if (call->principal && reach_is_limited(&call->principal->reach))
        submit_call(call->api->walled, call, run_walled, work);
    else
        submit_call(call->api->desk, call, run_call, work);
}

void api_at_checks(const struct api_call *call, void (*work)(struct api_call *call, struct pg *pg)) {
    submit_call(call->api->checks, call, run_call, work);
}

static bool is_token(const char *s, size_t max) {
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] <= 0x20 || (unsigned char)s[i] >= 0x7f)
            return false;
    return n > 0 && n <= max;
}

/* "00-" 32 hex "-" 16 hex "-" 2 hex, lower case, neither identity all zero. */
static bool is_trace(const char *s) {
    static const char shape[] = "00-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-hh";
    if (!s || strlen(s) != sizeof shape - 1)
        return false;
    for (size_t i = 0; i < sizeof shape - 1; i++)
        if (shape[i] == 'h' ? !strchr("0123456789abcdef", s[i]) : s[i] != shape[i])
            return false;
    return strspn(s + 3, "0") < 32 && strspn(s + 36, "0") < 16;
}

struct audit_row api_audit_row(const struct api_call *call, int status) {
    const struct principal *principal = call->principal;
    return (struct audit_row){
        .customer_id = principal ? principal->reach.customer_id : (struct uuid){{0}},
        .principal_id = principal ? principal->id : (struct uuid){{0}},
        .credential_id = principal ? principal->credential_id : (struct uuid){{0}},
        .address = call->address,
        .act = call->route->id,
        .object = call->request->path,
        .status = status,
    };
}

/* Whose the Idempotency-Keys of a principal are. The first operator's were so before there were others. */
static const char *owner_of(const struct api_call *call) {
    char id[UUID_TEXT_SIZE];
    if (!call->principal || str_eq(call->principal->name, "operator"))
        return "operator";
    return arena_strdup(&call->request->arena, uuid_text(call->principal->id, id));
}

int api_identify(const struct api_call *call, struct input *input) {
    struct httpd_request *request = call->request;
    const char *key = httpd_header(request, "Idempotency-Key"), *trace = httpd_header(request, "traceparent");
    if (key && !is_token(key, 200)) {
        api_refuse(request, 400, "bad_key", "An Idempotency-Key has 1 to 200 visible ASCII characters.");
        return -1;
    }
    input->seed = uuid_seed(clock_wall_us());
    input->who = owner_of(call);
    input->key = arena_strdup(&request->arena, key);
    /* W3C trace context: the caller's, or one of our own, so that every intent can be followed. */
    char own[UUID_HEX_SIZE];
    input->trace = is_trace(trace) ? arena_strdup(&request->arena, trace)
                                   : arena_printf(&request->arena, "00-%s-%.16s-01",
                                                  uuid_hex(input->seed, own), own + 16);
    const char *purge = httpd_query(request, "purge"), *match = httpd_header(request, "If-Match");
    input->fingerprint =
        hash_texts((const char *const[]){request->method, request->path, request->body_n ? request->body : "",
                                         purge ? purge : "", match ? match : "", NULL});
    return 0;
}
