/* Reports of nodes and due rows in a batch of the engine. What a report may speak for is judged here, against
 * the row that it is about (protocol section 8). */
#include "base/fault.h"
#include "base/str.h"
#include "coordinator/engine_own.h"
#include "coordinator/store/columns.h"
#include "model/decide_work.h"
#include "sql/queries.h"

static const char *key_of(const struct input *input) {
    if (input->kind == INPUT_WORK)
        return input->work_key;
    return input->kind == INPUT_TIMER && input->timer_kind == TIMER_WORK ? input->timer_subject : NULL;
}

static int send_timers(struct engine_batch *batch, struct err *err) {
    struct vec kinds = {0}, subjects = {0};
    for (size_t i = 0; i < batch->n; i++) {
        const struct input *input = batch->inputs[i].input;
        if (input->kind != INPUT_TIMER)
            continue;
        *vec_add(batch->base.arena, &kinds, const char *) = timer_kind_names[input->timer_kind];
        *vec_add(batch->base.arena, &subjects, const char *) = input->timer_subject;
    }
    if (!kinds.n)
        return 0;
    struct pg_params params = {.arena = batch->base.arena};
    pg_params_texts(&params, kinds.items, kinds.n);
    pg_params_texts(&params, subjects.items, subjects.n);
    batch->timers_sent = true;
    return pg_send(batch->base.pg, query_timers_claim, &params, err);
}

int reports_send(struct engine_batch *batch, struct err *err) {
    struct vec keys = {0};
    if (send_timers(batch, err) < 0)
        return -1;
    for (size_t i = 0; i < batch->n; i++)
        if (key_of(batch->inputs[i].input))
            *vec_add(batch->base.arena, &keys, const char *) = key_of(batch->inputs[i].input);
    if (!keys.n)
        return 0;
    struct pg_params params = {.arena = batch->base.arena};
    pg_params_texts(&params, keys.items, keys.n);
    batch->works_sent = true;
    if (pg_send(batch->base.pg, table_statement(query_works_lock), &params, err) < 0)
        return -1;
    return pg_send(batch->base.pg, query_works_waiting, &params, err);
}

static int read_timers(struct engine_batch *batch, struct err *err) {
    cleanup_result PGresult *res = pg_next(batch->base.pg, err);
    if (!res)
        return -1;
    for (int row = 0; row < PQntuples(res); row++)
        for (size_t i = 0; i < batch->n; i++) {
            struct batch_input *in = &batch->inputs[i];
            if (in->input->kind == INPUT_TIMER &&
                str_eq(timer_kind_names[in->input->timer_kind], pg_text(res, row, 0)) &&
                str_eq(in->input->timer_subject, pg_text(res, row, 1)))
                in->claimed = true;
        }
    return 0;
}

static int read_works(struct engine_batch *batch, struct err *err) {
    struct vec works = {0};
    cleanup_result PGresult *locked = pg_next(batch->base.pg, err);
    cleanup_result PGresult *waiting = locked ? pg_next(batch->base.pg, err) : NULL;
    if (!waiting)
        return -1;
    const struct table_statements *s = table_statements(TABLE_WORKS);
    pg_rows(locked, s->all, s->all_n, sizeof(struct work), batch->base.arena, &works);
    for (size_t k = 0; k < works.n; k++) {
        struct work *work = vec_at(&works, struct work, k);
        *vec_add(batch->base.arena, &batch->base.works, struct work *) = work;
        for (size_t i = 0; i < batch->n; i++) {
            struct batch_input *in = &batch->inputs[i];
            if (!str_eq(key_of(in->input), work->key))
                continue;
            in->work = work;
            for (int row = 0; row < PQntuples(waiting); row++)
                if (str_eq(pg_text(waiting, row, 0), work->key))
                    in->waiting_since = pg_time(waiting, row, 1);
        }
    }
    return 0;
}

int reports_read(struct engine_batch *batch, struct err *err) {
    if (batch->timers_sent && read_timers(batch, err) < 0)
        return -1;
    return batch->works_sent ? read_works(batch, err) : 0;
}

/* Any role is one of the provider's: agents hold none. */
static bool may_report(const struct input *input, int step_kind) {
    const struct order_row *row = order_find((enum step_kind)step_kind);
    return !row || (row->role == ROLE_ANY ? input->roles != 0 : (input->roles & row->role) != 0);
}

static void take_order(struct engine_batch *batch, struct batch_input *in) {
    struct input *input = in->input;
    struct refusal refusal;
    if (!in->subject) {
        input->refused = "about an order that nobody gave";
        return;
    }
    if (uuid_is_nil(input->event.order_id)) { /* steps that no order carries have none either */
        input->refused = "about an order without an identity";
        return;
    }
    for (size_t i = 0; i < in->subject->steps.n; i++) {
        const struct step *step = vec_at(&in->subject->steps, struct step, i);
        if (!uuid_eq(step->order_id, input->event.order_id))
            continue;
        if (!may_report(input, step->kind)) {
            input->refused = "about an order for a role that the node does not hold";
            return;
        }
        (void)decide(in->subject, &input->event, batch_decision(&batch->base, input->seed), &refusal);
        return;
    }
    /* An order of a walk that is over: counted by the source, and dropped. */
}

static void fan_out(struct engine_batch *batch, const struct work *work) {
    *vec_add(batch->base.arena, &batch->base.fan_out, const char *) = work->key;
}

static void take_work(struct engine_batch *batch, struct batch_input *in) {
    struct input *input = in->input;
    if (!in->work || !uuid_eq(in->work->order_id, input->event.order_id)) {
        if (!in->work)
            input->refused = "about work that nobody asked for";
        return;
    }
    if (!may_report(input, in->work->kind)) {
        input->refused = "about an order for a role that the node does not hold";
        return;
    }
    if (decide_work_report(in->work, input->event.attempt, input->event.result, &input->event.problem,
                           input->event.facts, input->node_id, batch_decision(&batch->base, input->seed)))
        fan_out(batch, in->work);
}

struct sealed_row {
    struct uuid tenant_id, instance_id;
    const char *name;
    struct bytes box;
};

static const struct pg_column sealed_columns[] = {
    PG_COL(struct sealed_row, tenant_id, PG_UUID),
    PG_COL(struct sealed_row, instance_id, PG_UUID),
    PG_COL(struct sealed_row, name, PG_TEXT),
    PG_COL(struct sealed_row, box, PG_BYTES),
};

static void keep_sealed(struct engine_batch *batch, const struct instance *instance, const struct vec *from,
                        struct vec *to) {
    for (size_t i = 0; i < from->n; i++) {
        const struct sealed *sealed = vec_at(from, struct sealed, i);
        struct sealed_row *row = arena_new(batch->base.arena, struct sealed_row);
        *row = (struct sealed_row){instance->tenant_id, instance->id, sealed->name, sealed->box};
        if (sealed->name)
            *vec_add(batch->base.arena, to, const void *) = row;
    }
}

static void take_document(struct engine_batch *batch, struct batch_input *in) {
    struct input *input = in->input;
    struct refusal refusal;
    const struct document_report *report = &input->event.document;
    const struct document *document =
        in->subject ? subject_document(in->subject, report->kind, report->letter) : NULL;
    if (!document || !uuid_eq(document->node_id, report->node_id)) {
        input->refused = "about a document that is not the node's";
        return;
    }
    /* Only its host has made secrets; what is replayed, or comes after the end, keeps none. */
    if (document->kind == DOCUMENT_STACK && !decide_is_late(document, report) &&
        in->subject->instance->state != STATE_DELETED) {
        keep_sealed(batch, in->subject->instance, &input->delivered, &batch->delivered);
        keep_sealed(batch, in->subject->instance, &input->recovery, &batch->recovery);
    }
    (void)decide(in->subject, &input->event, batch_decision(&batch->base, input->seed), &refusal);
}

static void take_expiry(struct engine_batch *batch, struct batch_input *in) {
    struct refusal refusal;
    const struct instance *instance = in->subject->instance;
    struct decision *decision = batch_decision(&batch->base, in->input->seed);
    if (!instance_is_over(instance, batch->base.now)) { /* extended meanwhile; 0 takes the timer away */
        decision_timer(decision, TIMER_EXPIRE, in->input->timer_subject, instance->expires_at);
        return;
    }
    struct decide_event event = {.kind = DECIDE_INTENT, .intent = INTENT_EXPIRE};
    (void)decide(in->subject, &event, decision, &refusal); /* refused where it makes no sense any more */
}

static void take_due(struct engine_batch *batch, struct batch_input *in) {
    struct refusal refusal;
    bool refresh = in->input->kind == INPUT_TIMER && in->input->timer_kind == TIMER_REFRESH;
    struct decide_event event = {.kind = refresh ? DECIDE_REFRESH : DECIDE_WAKE};
    if (in->subject)
        (void)decide(in->subject, &event, batch_decision(&batch->base, in->input->seed), &refusal);
}

static void take_timer(struct engine_batch *batch, struct batch_input *in) {
    if (!in->claimed)
        return; /* another coordinator's by now */
    if (in->input->timer_kind == TIMER_WORK) {
        if (in->work &&
            decide_work_due(in->work, in->waiting_since, batch_decision(&batch->base, in->input->seed)))
            fan_out(batch, in->work);
    } else if (in->subject && in->input->timer_kind == TIMER_EXPIRE) {
        take_expiry(batch, in);
    } else {
        take_due(batch, in);
    }
}

/* An instance that another transaction holds: its timer must not be lost with the claim. */
static void put_timer_back(struct engine_batch *batch, const struct batch_input *in) {
    if (in->input->kind == INPUT_TIMER && in->claimed)
        decision_timer(batch_decision(&batch->base, in->input->seed), (enum timer_kind)in->input->timer_kind,
                       in->input->timer_subject, batch->base.now);
}

void reports_decide(struct engine_batch *batch) {
    for (size_t i = 0; i < batch->n; i++) {
        struct batch_input *in = &batch->inputs[i];
        if (in->skip) {
            put_timer_back(batch, in);
            continue;
        }
        switch (in->input->kind) {
        case INPUT_ORDER:
            take_order(batch, in);
            break;
        case INPUT_WORK:
            take_work(batch, in);
            break;
        case INPUT_DOCUMENT:
            take_document(batch, in);
            break;
        case INPUT_TIMER:
            take_timer(batch, in);
            break;
        case INPUT_DUE:
            take_due(batch, in);
            break;
        case INPUT_CREATE:
        case INPUT_INTENT:
            break;
        }
    }
}

static int send_sealed(struct engine_batch *batch, const char *query, const struct vec *rows,
                       struct err *err) {
    if (!rows->n)
        return 0;
    struct pg_params params = {.arena = batch->base.arena};
    pg_params_rows(&params, sealed_columns, sizeof sealed_columns / sizeof *sealed_columns, rows->items,
                   rows->n);
    batch->base.sent++;
    return pg_send(batch->base.pg, query, &params, err);
}

int reports_store(struct engine_batch *batch, struct err *err) {
    if (send_sealed(batch, query_credentials_insert, &batch->delivered, err) < 0)
        return -1;
    return send_sealed(batch, query_recovery_boxes_insert, &batch->recovery, err);
}
