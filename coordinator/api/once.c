/* POSTs that write outside the engine: the claim of the key, the work and the remembered answer are one
 * transaction. */
#include "coordinator/api/api.h"
#include "coordinator/key_sets.h"
#include "coordinator/problem.h"
#include "sql/queries.h"

#include <string.h>

/* Of one request. A COMMIT whose outcome is unknown has lost its connection: that is a 503, and whoever asks
 * again with the same key finds the row. */
#define ATTEMPTS 4

struct once_call {
    const struct api_once *once;
    struct input who; /* seed, key, fingerprint */
    void *data;
};

void api_done_refusal(const struct api_call *call, struct api_done *ret, int status, const char *code,
                      const char *sentence) {
    cleanup_free char *text = problem_text(status, code, sentence);
    *ret = (struct api_done){.status = status, .body = arena_strdup(&call->request->arena, text)};
}

static void answer(struct api_call *call, const struct api_once *once, struct uuid request, int status,
                   const char *kept, const char *location) {
    cleanup_free char *body = NULL;
    if (kept && once->reveal && status < 400)
        body = once->reveal(call, request, kept);
    else if (kept)
        body = mem_strdup(kept);
    api_answer_with(call->request, status, mem_steal(body), 0, location);
}

/* 1: go on. 0: answered from the table, or refused. */
static int claim(struct api_call *call, const struct once_call *mine, struct pg *pg, struct err *err) {
    struct pg_params claim = {.arena = &call->request->arena}, find = {.arena = &call->request->arena};
    pg_params_uuid(&claim, mine->who.seed);
    pg_params_text(&claim, mine->who.who);
    pg_params_text(&claim, mine->who.key);
    pg_params_bytes(&claim, mine->who.fingerprint.b, HASH_SIZE);
    pg_params_text(&claim, mine->once->kind);
    cleanup_result PGresult *won = pg_run(pg, query_record_claim, &claim, err);
    if (!won)
        return -1;
    if (PQntuples(won) == 1)
        return 1;
    pg_params_uuids(&find, &mine->who.seed, 1);
    pg_params_texts(&find, &mine->who.who, 1);
    pg_params_texts(&find, &mine->who.key, 1);
    cleanup_result PGresult *found = pg_run(pg, query_requests_find, &find, err);
    if (!found)
        return -1;
    if (PQntuples(found) == 0)
        return err_set(err, ERR_RETRY, "a request with this key ends just now");
    if (memcmp(PQgetvalue(found, 0, 3), mine->who.fingerprint.b, HASH_SIZE) != 0)
        api_refuse(call->request, 422, "key_reused",
                   "This Idempotency-Key was used for another request. Use a new key for a new request.");
    else
        answer(call, mine->once, pg_uuid(found, 0, 0), (int)pg_int(found, 0, 4), pg_text(found, 0, 5),
               pg_text(found, 0, 7));
    return 0;
}

static int remember(struct api_call *call, const struct once_call *mine, struct pg *pg,
                    const struct api_done *done, struct err *err) {
    struct pg_params params = {.arena = &call->request->arena};
    pg_params_uuid(&params, mine->who.seed);
    pg_params_int(&params, done->status);
    pg_params_text(&params, done->body);
    pg_params_text(&params, done->location);
    PGresult *stored = pg_run(pg, query_record_answer, &params, err);
    PQclear(stored);
    return stored ? 0 : -1;
}

/* What was done is told in the same transaction: neither is without the other. */
static int note(struct api_call *call, const struct once_call *mine, struct pg *pg,
                const struct api_done *done, struct err *err) {
    struct arena *arena = &call->request->arena;
    struct pg_params params = {.arena = arena};
    struct audit_row row = api_audit_row(call, done->status);
    if (done->status >= 400)
        return 0;
    if (uuid_is_nil(row.customer_id))
        row.customer_id = done->customer_id;
    row.request_id = mine->who.seed;
    row.trace = mine->who.trace;
    row.before = audit_hash(arena, done->before);
    row.after = audit_hash(arena, done->body);
    audit_params(&params, &(const struct audit_row *){&row}, 1);
    PGresult *noted = pg_run(pg, query_audit_append, &params, err);
    PQclear(noted);
    return noted ? 0 : -1;
}

static int run_in_transaction(struct api_call *call, const struct once_call *mine, struct pg *pg,
                              struct err *err) {
    struct api_done done = {0};
    int rc = mine->once->admit ? mine->once->admit(call, pg, mine->data, err) : 1;
    if (rc <= 0)
        return rc;
    if (pg_script(pg, "begin", err) < 0)
        return -1;
    /* What it gives may be made of the key that signs, or name it. */
    rc = key_sets_follow(pg, call->api->signing, NULL, err) < 0 ? -1 : claim(call, mine, pg, err);
    if (rc == 0)
        pg_rollback(pg);
    if (rc <= 0)
        return rc;
    if (mine->once->work(call, pg, mine->data, mine->who.seed, &done, err) < 0 ||
        remember(call, mine, pg, &done, err) < 0 || note(call, mine, pg, &done, err) < 0 ||
        pg_script(pg, "commit", err) < 0)
        return -1;
    if (mine->once->stored && done.status < 400)
        mine->once->stored(call, mine->who.seed);
    answer(call, mine->once, mine->who.seed, done.status, done.body, done.location);
    return 0;
}

static void run(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    for (int attempt = 1;; attempt++) {
        if (run_in_transaction(call, call->request->owner, pg, &err) == 0)
            return;
        pg_rollback(pg);
        if (err.cls == ERR_RETRY && attempt < ATTEMPTS && pg_is_usable(pg))
            continue;
        api_refuse_error(call->request, &err);
        return;
    }
}

void api_once(struct api_call *call, const struct api_once *once, void *data) {
    struct once_call *mine = arena_new(&call->request->arena, struct once_call);
    if (api_identify(call, &mine->who) < 0)
        return;
    char id[UUID_TEXT_SIZE];
    if (once->owner)
        mine->who.who = once->owner;
    else if (once->reveal) /* a secret is shown again to the very token that asked for it, not to all of its
                              member's */
        mine->who.who = arena_printf(&call->request->arena, "%s by %s", mine->who.who,
                                     uuid_text(call->principal->credential_id, id));
    mine->once = once;
    mine->data = data;
    call->request->owner = mine;
    api_at_desk(call, run);
}

void api_wake_clock(struct api_call *call, struct uuid request) {
    (void)request;
    call->api->wake_clock(call->api->arg);
}
