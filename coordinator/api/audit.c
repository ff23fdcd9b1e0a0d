/* The audit, to read; and is it whole? */
#include "base/str.h"
#include "coordinator/api/api.h"
#include "sql/queries.h"

#include <stdio.h>
#include <string.h>

#define CHAINS_MAX 64

/* For each chain the number below which the page begins. */
struct cursor {
    int64_t below[CHAINS_MAX];
    size_t n;
};

static void list(struct api_call *call, struct pg *pg) {
    const struct cursor *after = call->request->owner;
    struct err err = {0};
    const int limit = 100;
    struct pg_params params = {.arena = &call->request->arena};
    pg_params_ints(&params, after->below, after->n);
    pg_params_int(&params, limit + 1);
    cleanup_result PGresult *res = pg_run(pg, query_audit_list, &params, &err);
    if (res)
        api_answer_page(call, res, limit);
    else
        api_refuse_error(call->request, &err);
}

/* "17.0.3": numbers joined by points. */
static bool read_cursor(const char *text, struct cursor *ret) {
    while (*text) {
        char number[24];
        size_t n = strcspn(text, ".");
        (void)snprintf(number, sizeof number, "%.*s", (int)n, text);
        if (ret->n == CHAINS_MAX || !str_to_int(number, 0, INT64_MAX, &ret->below[ret->n++]))
            return false;
        text += n + (text[n] == '.');
    }
    return true;
}

void audit_list(struct api_call *call) {
    struct cursor *after = arena_new(&call->request->arena, struct cursor);
    const char *text = httpd_query(call->request, "after");
    if (text && !read_cursor(text, after)) {
        api_refuse_cursor(call);
        return;
    }
    call->request->owner = after;
    api_read(call, list);
}

static void verify(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    struct audit_found found;
    if (audit_verify(pg, call->api->signing, call->api->heads_file, &call->request->arena, &found, &err) <
        0) {
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
