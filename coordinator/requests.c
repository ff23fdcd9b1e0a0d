/* Requests in a batch of the engine: who they are (claims), what a create may look at, and what is answered.
 *
 * What is accepted without a key needs no row: its intent says it all. What an Idempotency-Key remembers:
 * every answer of the engine, refusals too (403, 404, 409, 412, 422). What is refused before the engine, a
 * body that does not fit its schema, is not remembered: the same key may come again with a mended body. */
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "coordinator/engine_own.h"
#include "coordinator/problem.h"
#include "coordinator/store/columns.h"
#include "sql/queries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct request_row {
    struct uuid id;
    const char *owner, *key;
    struct bytes fingerprint;
    const char *kind;
    int64_t status;
    const char *answer;
    int64_t etag;
    const char *location;
    int64_t created_at;
};

static const struct pg_column request_columns[] = {
    PG_COL(struct request_row, id, PG_UUID),       PG_COL(struct request_row, owner, PG_TEXT),
    PG_COL(struct request_row, key, PG_TEXT),      PG_COL(struct request_row, fingerprint, PG_BYTES),
    PG_COL(struct request_row, kind, PG_TEXT),     PG_COL(struct request_row, status, PG_INT),
    PG_COL(struct request_row, answer, PG_TEXT),   PG_COL(struct request_row, etag, PG_INT),
    PG_COL(struct request_row, location, PG_TEXT), PG_COL(struct request_row, created_at, PG_TIME),
};
#define REQUEST_COLUMNS ((int)(sizeof request_columns / sizeof *request_columns))
#define CLAIM_COLUMNS 5 /* the first of them */

static bool is_request(const struct input *input) {
    return input->kind == INPUT_CREATE || input->kind == INPUT_INTENT;
}

static const char *kind_of(const struct input *input) {
    return input->kind == INPUT_CREATE ? "create" : intent_rows[input->event.intent].name;
}

/* Two of one batch with the same key: the later is shown the earlier's answer. */
static void pair_keys(struct engine_batch *batch) {
    for (size_t i = 0; i < batch->n; i++)
        for (size_t k = 0; k < i && batch->inputs[i].input->key && is_request(batch->inputs[i].input); k++)
            if (is_request(batch->inputs[k].input) && !batch->inputs[k].same_key &&
                str_eq(batch->inputs[k].input->key, batch->inputs[i].input->key) &&
                str_eq(batch->inputs[k].input->who, batch->inputs[i].input->who))
                batch->inputs[i].same_key = batch->inputs[k].input;
}

int requests_prepare(struct engine_batch *batch, struct err *err) {
    pair_keys(batch);
    return creates_prepare(batch, err);
}

static int send_claims(struct engine_batch *batch, struct err *err) {
    struct vec rows = {0}, ids = {0}, owners = {0}, keys = {0}, seeds = {0}, instances = {0};
    for (size_t i = 0; i < batch->n; i++) {
        const struct input *input = batch->inputs[i].input;
        if (!is_request(input))
            continue;
        if (input->tried) /* it may have been committed: its row would say so */
            *vec_add(batch->base.arena, &ids, struct uuid) = input->seed;
        if (input->tried && !input->key) { /* what was accepted without a key is known by its intent */
            *vec_add(batch->base.arena, &seeds, struct uuid) = input->seed;
            *vec_add(batch->base.arena, &instances, struct uuid) =
                input->kind == INPUT_CREATE ? create_identity(input) : input->instance_id;
        }
        if (!input->key)
            continue;
        struct request_row *row = arena_new(batch->base.arena, struct request_row);
        *row = (struct request_row){.id = input->seed,
                                    .owner = input->who,
                                    .key = input->key,
                                    .fingerprint = {input->fingerprint.b, HASH_SIZE},
                                    .kind = kind_of(input)};
        *vec_add(batch->base.arena, &rows, const void *) = row;
        *vec_add(batch->base.arena, &owners, const char *) = input->who;
        *vec_add(batch->base.arena, &keys, const char *) = input->key;
    }
    if (rows.n) {
        struct pg_params params = {.arena = batch->base.arena};
        pg_params_rows(&params, request_columns, CLAIM_COLUMNS, rows.items, rows.n);
        batch->claimed_sent = true;
        if (pg_send(batch->base.pg, query_requests_claim, &params, err) < 0)
            return -1;
    }
    if (seeds.n) {
        struct pg_params params = {.arena = batch->base.arena};
        pg_params_uuids(&params, seeds.items, seeds.n);
        pg_params_uuids(&params, instances.items, instances.n);
        batch->found_sent++;
        if (pg_send(batch->base.pg, query_requests_known, &params, err) < 0)
            return -1;
    }
    if (!rows.n && !ids.n)
        return 0;
    struct pg_params params = {.arena = batch->base.arena};
    pg_params_uuids(&params, ids.items, ids.n);
    pg_params_texts(&params, owners.items, owners.n);
    pg_params_texts(&params, keys.items, keys.n);
    batch->found_sent++;
    return pg_send(batch->base.pg, query_requests_find, &params, err);
}

int requests_send(struct engine_batch *batch, struct err *err) {
    return send_claims(batch, err) < 0 ? -1 : creates_send(batch, err);
}

/* A request that was answered before, here or by another coordinator: the same answer. */
static int read_found(struct engine_batch *batch, struct err *err) {
    cleanup_result PGresult *res = pg_next(batch->base.pg, err);
    if (!res)
        return -1;
    for (int row = 0; row < PQntuples(res); row++) {
        struct uuid id = pg_uuid(res, row, 0);
        for (size_t i = 0; i < batch->n; i++) {
            struct batch_input *in = &batch->inputs[i];
            bool same = uuid_eq(id, in->input->seed);
            if (!is_request(in->input) || in->answered || pg_int(res, row, 4) == 0)
                continue;
            if (!same && (!in->input->key || !str_eq(in->input->key, pg_text(res, row, 2)) ||
                          !str_eq(in->input->who, pg_text(res, row, 1))))
                continue;
            in->replayed = true;
            in->own = same;
            if (!same && memcmp(PQgetvalue(res, row, 3), in->input->fingerprint.b, HASH_SIZE) != 0)
                request_refuse(
                    in, 422, "key_reused",
                    "This Idempotency-Key was used for another request. Use a new key for a new request.");
            else
                request_answer(in, (int)pg_int(res, row, 4), mem_strdup(pg_text(res, row, 5)),
                               pg_int(res, row, 6), pg_text(res, row, 7));
        }
    }
    return 0;
}

int requests_read(struct engine_batch *batch, struct err *err) {
    if (batch->claimed_sent) {
        cleanup_result PGresult *claimed = pg_next(batch->base.pg, err);
        if (!claimed)
            return -1;
    }
    for (int i = 0; i < batch->found_sent; i++)
        if (read_found(batch, err) < 0)
            return -1;
    return creates_read(batch, err);
}

static void decide_intent_input(struct engine_batch *batch, struct batch_input *in) {
    struct refusal refusal;
    struct subject *subject = in->subject;
    if (!subject || subject->instance->state == STATE_DELETED ||
        !reach_holds(&in->input->reach, subject->instance->customer_id, subject->instance->tenant_id,
                     subject->instance->plane_id)) {
        request_refuse(in, 404, "not_found", "There is no such instance.");
        return;
    }
    struct instance *instance = subject->instance;
    if (in->input->if_match && in->input->if_match != instance->accepted) {
        request_refuse(in, 412, "changed",
                       arena_printf(batch->base.arena,
                                    "\"%s\" has changed meanwhile: it is at generation %lld, not %lld.",
                                    instance->name, (long long)instance->accepted,
                                    (long long)in->input->if_match));
        in->input->answer.etag = instance->accepted;
        return;
    }
    if (in->input->event.intent == INTENT_DELETE && !in->input->purge &&
        (subject->release->needs & NEED_STACK)) {
        request_refuse(
            in, 422, "needs_purge",
            arena_printf(
                batch->base.arena,
                "Deleting \"%s\" takes its data away for good: there are no backups yet. Ask again with "
                "purge to say that the data may go.",
                instance->name));
        return;
    }
    struct decision *decision = batch_decision(&batch->base, in->input->seed);
    struct decide_event event = in->input->event;
    if (in->input->audit)
        in->before = request_hash(batch, instance);
    event.kind = DECIDE_INTENT;
    event.request_id = in->input->seed;
    event.trace = in->input->trace;
    if (decide(subject, &event, decision, &refusal))
        request_accept(batch, in, instance);
    else
        request_refuse(in, refusal.status, refusal.code, refusal.sentence);
}

void requests_decide(struct engine_batch *batch) {
    creates_decide(batch);
    for (size_t i = 0; i < batch->n; i++) {
        struct batch_input *in = &batch->inputs[i];
        if (in->input->kind == INPUT_INTENT && !in->skip && !in->answered && !in->same_key)
            decide_intent_input(batch, in);
    }
    for (size_t i = 0; i < batch->n; i++) {
        struct batch_input *in = &batch->inputs[i];
        if (!in->same_key || in->answered)
            continue;
        in->skip = true; /* the next batch finds the row of the earlier one */
    }
}

/* A claim of an input that waits for the next batch must not stand meanwhile: it has no answer. */
static int send_unclaim(struct engine_batch *batch, struct err *err) {
    struct vec ids = {0};
    for (size_t i = 0; i < batch->n; i++)
        if (is_request(batch->inputs[i].input) && batch->inputs[i].input->key && batch->inputs[i].skip)
            *vec_add(batch->base.arena, &ids, struct uuid) = batch->inputs[i].input->seed;
    if (!ids.n)
        return 0;
    struct pg_params params = {.arena = batch->base.arena};
    pg_params_uuids(&params, ids.items, ids.n);
    batch->base.sent++;
    return pg_send(batch->base.pg, query_requests_unclaim, &params, err);
}

/* A row of the audit for each that was accepted; last, because it holds a chain until COMMIT. */
static int send_audit(struct engine_batch *batch, struct err *err) {
    struct vec rows = {0};
    for (size_t i = 0; i < batch->n; i++) {
        const struct batch_input *in = &batch->inputs[i];
        bool accepted = is_request(in->input) && in->answered && !in->skip && !in->replayed &&
                        in->input->answer.status < 400;
        if (!accepted || !in->input->audit)
            continue;
        struct audit_row *row = arena_new(batch->base.arena, struct audit_row);
        *row = *in->input->audit;
        row->customer_id = in->customer_id;
        row->status = in->input->answer.status;
        row->before = in->before;
        row->after = in->after;
        *vec_add(batch->base.arena, &rows, const struct audit_row *) = row;
    }
    if (!rows.n)
        return 0;
    struct pg_params params = {.arena = batch->base.arena};
    audit_params(&params, rows.items, rows.n);
    batch->base.sent++;
    return pg_send(batch->base.pg, query_audit_append, &params, err);
}

static int send_answers(struct engine_batch *batch, struct err *err) {
    struct vec rows = {0};
    for (size_t i = 0; i < batch->n; i++) {
        const struct batch_input *in = &batch->inputs[i];
        bool known = !in->input->key && in->input->answer.status == 202; /* by its intent */
        if (!is_request(in->input) || !in->answered || in->skip || in->replayed || known)
            continue;
        struct request_row *row = arena_new(batch->base.arena, struct request_row);
        *row = (struct request_row){
            .id = in->input->seed,
            .owner = in->input->who,
            .key = in->input->key,
            .fingerprint = {in->input->fingerprint.b, HASH_SIZE},
            .kind = kind_of(in->input),
            .status = in->input->answer.status,
            .answer = in->input->answer.body,
            .etag = in->input->answer.etag,
            .location = in->input->answer.location,
            .created_at = batch->base.now,
        };
        *vec_add(batch->base.arena, &rows, const void *) = row;
    }
    if (!rows.n)
        return 0;
    struct pg_params params = {.arena = batch->base.arena};
    pg_params_rows(&params, request_columns, REQUEST_COLUMNS, rows.items, rows.n);
    batch->base.sent++;
    return pg_send(batch->base.pg, query_requests_insert, &params, err);
}

int requests_store(struct engine_batch *batch, struct err *err) {
    return create_names_store(batch, err) < 0 || send_unclaim(batch, err) < 0 ||
                   send_answers(batch, err) < 0 || send_audit(batch, err) < 0
               ? -1
               : 0;
}
