/* The audit, to read; and is it whole? */
#include "base/str.h"
#include "coordinator/api/api.h"
#include "sql/queries.h"

#include <stdio.h>

struct cursor {
    int64_t us, chain, n;
};

static void list(struct api_call *call, struct pg *pg) {
    const struct cursor *after = call->request->owner;
    struct err err = {0};
    const int limit = 100;
    struct pg_params params = {.arena = &call->request->arena};
    pg_params_int(&params, after->us);
    pg_params_int(&params, after->chain);
    pg_params_int(&params, after->n);
    pg_params_int(&params, limit + 1);
    cleanup_result PGresult *res = pg_run(pg, query_audit_list, &params, &err);
    if (res)
        api_answer_page(call, res, limit);
    else
        api_refuse_error(call->request, &err);
}

void audit_list(struct api_call *call) {
    struct cursor *after = arena_new(&call->request->arena, struct cursor);
    const char *text = httpd_query(call->request, "after");
    long long us, chain, n;
    char rest;
    if (text && *text) {
        if (sscanf(text, "%lld.%lld.%lld%c", &us, &chain, &n, &rest) != 3 || us <= 0) {
            api_refuse_cursor(call);
            return;
        }
        *after = (struct cursor){us, chain, n};
    }
    call->request->owner = after;
    api_read(call, list);
}

static void verify(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    struct audit_found found;
    if (audit_verify(pg, call->api->keys, call->api->heads_file, &call->request->arena, &found, &err) < 0) {
        api_refuse_error(call->request, &err);
        return;
    }
    cleanup_json json_t *chains = json_array();
    for (size_t i = 0; i < found.chains.n; i++) {
        const struct audit_chain_found *chain = vec_at(&found.chains, struct audit_chain_found, i);
        (void)json_array_append_new(chains, json_pack("{s:I, s:I, s:I}", "chain", (json_int_t)chain->chain,
                                                      "rows", (json_int_t)chain->rows, "signed",
                                                      (json_int_t)chain->signed_n));
    }
    cleanup_json json_t *body = json_pack("{s:b, s:s?, s:O}", "ok", found.problem == NULL, "problem",
                                          found.problem, "chains", chains);
    api_answer(call->request, 200, json_text(body));
}

void audit_verify_get(struct api_call *call) {
    api_at_checks(call, verify);
}
