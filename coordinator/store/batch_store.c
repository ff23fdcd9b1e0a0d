/* Writing a batch: one array statement per table. */
#include "coordinator/store/batch.h"
#include "coordinator/store/columns.h"
#include "sql/queries.h"

#include <stdlib.h>
#include <string.h>

static int send_rows(struct batch *batch, const char *query, const struct pg_column *columns, int columns_n,
                     const struct vec *rows, struct err *err) {
    if (!rows->n)
        return 0;
    struct pg_params params = {.arena = batch->arena};
    pg_params_rows(&params, columns, columns_n, rows->items, rows->n);
    batch->sent++;
    return pg_send(batch->pg, query, &params, err);
}

static int send_fresh(struct batch *batch, enum table table, const struct vec *rows, struct err *err) {
    const struct table_statements *s = table_statements(table);
    return send_rows(batch, s->insert, s->all, s->all_n, rows, err);
}

static int send_changed(struct batch *batch, enum table table, const struct vec *rows, struct err *err) {
    const struct table_statements *s = table_statements(table);
    return send_rows(batch, s->update, s->changing, s->changing_n, rows, err);
}

/* By a statement that does more than to list the columns. */
static int send_by(struct batch *batch, const char *embedded, enum table table, const struct vec *rows,
                   struct err *err) {
    const struct table_statements *s = table_statements(table);
    return send_rows(batch, table_statement(embedded), s->all, s->all_n, rows, err);
}

/* The rows of one kind that were changed, and those that are new, as arrays of pointers. */
struct split {
    struct vec fresh, changed;
};

#define SPLIT(batch, split, row)                                                                             \
    do {                                                                                                     \
        if ((row)->change == ROW_NEW)                                                                        \
            *vec_add((batch)->arena, &(split).fresh, const void *) = (row);                                  \
        else if ((row)->change == ROW_CHANGED)                                                               \
            *vec_add((batch)->arena, &(split).changed, const void *) = (row);                                \
    } while (0)

#define SPLIT_ALL(batch, split, rows, type)                                                                  \
    for (size_t i_ = 0; i_ < (rows).n; i_++)                                                                 \
    SPLIT(batch, split, vec_at(&(rows), type, i_))

static int timer_order(const void *a, const void *b) {
    const struct timer *x = *(const struct timer *const *)a, *y = *(const struct timer *const *)b;
    return x->kind != y->kind ? x->kind - y->kind : strcmp(x->subject, y->subject);
}

/* The last word about each timer: set or taken away. */
static int send_timers(struct batch *batch, struct err *err) {
    struct vec last = {0}, set = {0};
    struct vec kinds = {0}, subjects = {0};
    for (size_t d = 0; d < batch->decisions.n; d++) {
        const struct decision *decision = *vec_at(&batch->decisions, struct decision *, d);
        batch->due_now = batch->due_now || decision->works_due;
        for (size_t i = 0; i < decision->timers.n; i++) {
            const void *timer = vec_at(&decision->timers, struct timer, i);
            size_t k = 0;
            while (k < last.n && timer_order(vec_at(&last, const void *, k), &timer) != 0)
                k++;
            if (k == last.n)
                (void)vec_add(batch->arena, &last, const void *);
            *vec_at(&last, const void *, k) = timer;
        }
    }
    if (last.n)
        qsort(last.items, last.n, sizeof(void *), timer_order);
    for (size_t k = 0; k < last.n; k++) {
        const struct timer *timer = *vec_at(&last, const void *, k);
        if (timer->due_at) {
            *vec_add(batch->arena, &set, const void *) = timer;
        } else {
            *vec_add(batch->arena, &kinds, const char *) = timer_kind_names[timer->kind];
            *vec_add(batch->arena, &subjects, const char *) = timer->subject;
        }
    }
    if (send_by(batch, query_timers_insert, TABLE_TIMERS, &set, err) < 0)
        return -1;
    if (!kinds.n)
        return 0;
    struct pg_params params = {.arena = batch->arena};
    pg_params_texts(&params, kinds.items, kinds.n);
    pg_params_texts(&params, subjects.items, subjects.n);
    batch->sent++;
    return pg_send(batch->pg, query_timers_delete, &params, err);
}

static int send_keys_at(struct batch *batch, const char *query, const struct vec *keys, struct err *err) {
    struct pg_params params = {.arena = batch->arena};
    pg_params_texts(&params, keys->items, keys->n);
    pg_params_time(&params, batch->now);
    batch->sent++;
    return pg_send(batch->pg, query, &params, err);
}

/* Works, and what their settling means: an image on record, a due row for each instance that waits. */
static int send_works(struct batch *batch, const struct split *works, struct err *err) {
    struct vec built = {0};
    for (size_t i = 0; i < batch->works.n; i++) {
        const struct work *work = *vec_at(&batch->works, struct work *, i);
        if (work->kind == STEP_BUILD && work->state == WORK_DONE && work->change != ROW_KEPT)
            *vec_add(batch->arena, &built, const char *) = work->key;
    }
    if (send_by(batch, query_works_insert, TABLE_WORKS, &works->fresh, err) < 0 ||
        send_changed(batch, TABLE_WORKS, &works->changed, err) < 0)
        return -1;
    if (built.n && send_keys_at(batch, query_images_insert, &built, err) < 0)
        return -1;
    if (!batch->fan_out.n)
        return 0;
    batch->due_now = true;
    return send_keys_at(batch, query_works_fan_out, &batch->fan_out, err);
}

/* Of those that end in this batch: what was sealed for them goes with their data. */
static int send_purge(struct batch *batch, struct err *err) {
    struct vec ids = {0};
    for (size_t s = 0; s < batch->subjects_n; s++) {
        const struct instance *instance = batch->subjects[s]->instance;
        if (instance->state == STATE_DELETED && instance->change == ROW_CHANGED)
            *vec_add(batch->arena, &ids, struct uuid) = instance->id;
    }
    if (!ids.n)
        return 0;
    struct pg_params params = {.arena = batch->arena};
    pg_params_uuids(&params, ids.items, ids.n);
    batch->sent++;
    return pg_send(batch->pg, query_secrets_purge, &params, err);
}

int batch_send_store(struct batch *batch, struct err *err) {
    struct split instances = {0}, sets = {0}, intents = {0}, steps = {0}, documents = {0}, names = {0},
                 works = {0};
    struct vec events = {0}, outbox = {0};
    if (batch_collect_outbox(batch, &outbox, err) < 0) /* signs documents, so it goes first */
        return -1;
    for (size_t s = 0; s < batch->subjects_n; s++) {
        struct subject *subject = batch->subjects[s];
        SPLIT(batch, instances, subject->instance);
        SPLIT_ALL(batch, sets, subject->sets, struct set);
        SPLIT_ALL(batch, intents, subject->intents, struct intent);
        SPLIT_ALL(batch, steps, subject->past, struct step);
        SPLIT_ALL(batch, steps, subject->steps, struct step);
        SPLIT_ALL(batch, documents, subject->documents, struct document);
        for (size_t i = 0; i < subject->works.n; i++)
            if (vec_at(&subject->works, struct work, i)->change == ROW_NEW)
                SPLIT(batch, works, vec_at(&subject->works, struct work, i));
        if (subject->name)
            SPLIT(batch, names, subject->name);
    }
    for (size_t i = 0; i < batch->works.n; i++)
        SPLIT(batch, works, *vec_at(&batch->works, struct work *, i));
    for (size_t d = 0; d < batch->decisions.n; d++) {
        const struct decision *decision = *vec_at(&batch->decisions, struct decision *, d);
        for (size_t i = 0; i < decision->events.n; i++)
            *vec_add(batch->arena, &events, const void *) = vec_at(&decision->events, struct event_row, i);
    }
    if (send_fresh(batch, TABLE_INSTANCES, &instances.fresh, err) < 0 ||
        send_changed(batch, TABLE_INSTANCES, &instances.changed, err) < 0 ||
        send_fresh(batch, TABLE_SETS, &sets.fresh, err) < 0 ||
        send_changed(batch, TABLE_SETS, &sets.changed, err) < 0 ||
        send_fresh(batch, TABLE_INTENTS, &intents.fresh, err) < 0 ||
        send_changed(batch, TABLE_INTENTS, &intents.changed, err) < 0 ||
        send_fresh(batch, TABLE_STEPS, &steps.fresh, err) < 0 ||
        send_changed(batch, TABLE_STEPS, &steps.changed, err) < 0 ||
        send_fresh(batch, TABLE_DOCUMENTS, &documents.fresh, err) < 0 ||
        send_changed(batch, TABLE_DOCUMENTS, &documents.changed, err) < 0 ||
        send_changed(batch, TABLE_NAMES, &names.changed, err) < 0 || send_works(batch, &works, err) < 0 ||
        send_timers(batch, err) < 0 || send_purge(batch, err) < 0 ||
        send_fresh(batch, TABLE_EVENTS, &events, err) < 0)
        return -1;
    return batch_send_outbox(batch, &outbox, err);
}

int batch_read_store(struct batch *batch, struct err *err) {
    for (; batch->sent; batch->sent--) {
        PGresult *res = pg_next(batch->pg, err);
        if (!res)
            return -1;
        PQclear(res);
    }
    return 0;
}
