/* One run of one batch: claim, lock, load; decide; store; commit. */
#include "base/fault.h"
#include "base/mem.h"
#include "coordinator/engine_own.h"

#include <string.h>
#include <unistd.h>

/* BEGIN, claims, locks and contexts: one round trip. */
static int load(struct engine_batch *batch, bool skip_locked, struct err *err) {
    struct pg *pg = batch->base.pg;
    static const char begin[] = "begin";
    struct vec ids = {0};
    for (size_t i = 0; i < batch->n; i++) {
        const struct input *input = batch->inputs[i].input;
        if (input->kind == INPUT_CREATE || input->kind == INPUT_WORK)
            continue;
        if (!uuid_is_nil(input->instance_id))
            *vec_add(batch->base.arena, &ids, struct uuid) = input->instance_id;
    }
    if (pg_send(pg, begin, NULL, err) < 0 || requests_send(batch, err) < 0 || reports_send(batch, err) < 0 ||
        batch_send_load(&batch->base, ids.items, ids.n, !skip_locked, err) < 0 || pg_sync(pg, err) < 0)
        return -1;
    cleanup_result PGresult *begun = pg_next(pg, err);
    if (!begun || requests_read(batch, err) < 0 || reports_read(batch, err) < 0)
        return -1;
    return batch_read_load(&batch->base, err);
}

/* At most one state-changing input per instance in a batch; the rest wait for the next. */
void engine_join(struct engine_batch *batch) {
    for (size_t i = 0; i < batch->n; i++) {
        struct batch_input *in = &batch->inputs[i];
        if (in->skip || in->input->kind == INPUT_CREATE || uuid_is_nil(in->input->instance_id))
            continue;
        in->subject = batch_subject(&batch->base, in->input->instance_id);
        for (size_t k = 0; k < batch->base.held.n && !in->subject; k++)
            in->skip =
                in->skip || uuid_eq(*vec_at(&batch->base.held, struct uuid, k), in->input->instance_id);
        for (size_t k = 0; k < i && in->subject; k++)
            if (batch->inputs[k].subject == in->subject && !batch->inputs[k].skip &&
                !batch->inputs[k].answered)
                in->skip = true;
    }
}

static int commit(struct engine_batch *batch, struct err *err) {
    struct pg *pg = batch->base.pg;
    static const char commit_text[] = "commit";
    if (batch_send_store(&batch->base, err) < 0 || requests_store(batch, err) < 0 ||
        reports_store(batch, err) < 0)
        return -1;
    if (fault_reach(FAULT_ENGINE_STORED))
        return err_set(err, ERR_RETRY, "fault point");
    if (pg_send(pg, commit_text, NULL, err) < 0 || pg_sync(pg, err) < 0)
        return -1;
    if (fault_reach(FAULT_ENGINE_COMMIT)) {
        (void)close(PQsocket(pg->conn)); /* the reply to COMMIT is lost */
    }
    if (batch_read_store(&batch->base, err) < 0)
        return -1;
    cleanup_result PGresult *done = pg_next(pg, err);
    if (!done)
        return -1;
    return strcmp(PQcmdStatus(done), "COMMIT") == 0
               ? 0
               : err_set(err, ERR_RETRY, "the transaction was rolled back");
}

int engine_transact(struct engine_batch *batch, bool skip_locked, struct err *err) {
    struct pg *pg = batch->base.pg;
    if (requests_prepare(batch, err) < 0 || pg_pipeline_begin(pg, err) < 0)
        return -1;
    int rc = load(batch, skip_locked, err);
    if (rc == 0 && fault_reach(FAULT_ENGINE_BEGIN))
        rc = err_set(err, ERR_RETRY, "fault point");
    if (rc == 0) {
        engine_join(batch);
        requests_decide(batch);
        reports_decide(batch);
        if (fault_reach(FAULT_ENGINE_DECIDED))
            rc = err_set(err, ERR_RETRY, "fault point");
    }
    if (rc == 0)
        rc = commit(batch, err);
    if (rc < 0) {
        PQclear(mem_steal(batch->contexts));
        if (pg_sync(pg, NULL) < 0)
            return -1;
    }
    pg_pipeline_end(pg);
    return rc;
}
