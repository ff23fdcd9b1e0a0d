/* Host names of creates: which each claims, whose it is, and when a name that was held goes to another. */
#include "base/clock.h"
#include "base/str.h"
#include "coordinator/engine_own.h"
#include "coordinator/store/columns.h"
#include "sql/queries.h"

void create_plans_name(struct engine_batch *batch, struct batch_input *in) {
    const struct create_args *create = &in->input->create;
    if (!in->release || !in->plane || !(in->release->needs & NEED_NAME))
        return;
    struct name *name = arena_new(batch->base.arena, struct name);
    name->change = ROW_NEW;
    name->host = create->host ? arena_printf(batch->base.arena, "%s.%s", create->host, in->plane->domain)
                              : arena_printf(batch->base.arena, "%s-%s-%s.%s", create->name, create->tenant,
                                             create->customer, in->plane->domain);
    name->instance_id = create_identity(in->input);
    name->tenant_id = name->instance_id; /* the real one once the context is known */
    in->name = name;
}

int create_names_send(struct engine_batch *batch, struct err *err) {
    struct vec rows = {0}, hosts = {0};
    for (size_t i = 0; i < batch->creates.n; i++) {
        const struct batch_input *in = *vec_at(&batch->creates, struct batch_input *, i);
        if (!in->name || in->same_key)
            continue;
        *vec_add(batch->base.arena, &rows, const void *) = in->name;
        *vec_add(batch->base.arena, &hosts, const char *) = in->name->host;
    }
    if (!rows.n)
        return 0;
    struct pg_params params = {.arena = batch->base.arena};
    const struct table_statements *s = table_statements(TABLE_NAMES);
    pg_params_rows(&params, s->all, s->all_n, rows.items, rows.n);
    struct pg_params found = {.arena = batch->base.arena};
    pg_params_texts(&found, hosts.items, hosts.n);
    batch->names_sent = true;
    if (pg_send(batch->base.pg, table_statement(query_names_claim), &params, err) < 0)
        return -1;
    return pg_send(batch->base.pg, table_statement(query_names_by_host), &found, err);
}

int create_names_read(struct engine_batch *batch, struct err *err) {
    if (!batch->names_sent)
        return 0;
    cleanup_result PGresult *claimed = pg_next(batch->base.pg, err);
    cleanup_result PGresult *found = claimed ? pg_next(batch->base.pg, err) : NULL;
    if (!found)
        return -1;
    const struct table_statements *s = table_statements(TABLE_NAMES);
    pg_rows(found, s->all, s->all_n, sizeof(struct name), batch->base.arena, &batch->held);
    for (int i = 0; i < PQntuples(found); i++)
        *vec_add(batch->base.arena, &batch->gone, bool) = pg_bool(found, i, s->all_n);
    for (size_t i = 0; i < batch->creates.n; i++) {
        struct batch_input *in = *vec_at(&batch->creates, struct batch_input *, i);
        for (size_t k = 0; k < batch->held.n && in->name; k++) {
            const struct name *name = vec_at(&batch->held, struct name, k);
            if (str_eq(name->host, in->name->host) && uuid_eq(name->instance_id, in->name->instance_id))
                in->name_claimed = true;
        }
    }
    return 0;
}

static void take_over(struct engine_batch *batch, struct batch_input *in, struct name *held, bool *ret_gone,
                      struct uuid tenant_id) {
    char hex[UUID_HEX_SIZE], stamp[28];
    bool gone = *ret_gone;
    bool free_now =
        gone && (uuid_eq(held->tenant_id, tenant_id) || (held->free_at && held->free_at <= batch->base.now));
    if (!free_now) {
        const char *sentence =
            gone && held->free_at
                ? arena_printf(batch->base.arena, "The name \"%s\" is not free yet. It will be free at %s.",
                               held->host, clock_text(held->free_at, stamp))
                : arena_printf(batch->base.arena, "The name \"%s\" is taken. Choose another one.",
                               held->host);
        request_refuse(in, 409, "name_taken", sentence);
        return;
    }
    in->name->change = ROW_CHANGED;
    in->name->serial = 0; /* until this owner has written: what it then replaces is the last that did */
    in->name->replaces = held->serial
                             ? arena_printf(batch->base.arena, "fairlead owner=%s epoch=%lld serial=%lld",
                                            uuid_hex(held->instance_id, hex), (long long)batch->base.epoch,
                                            (long long)held->serial)
                             : held->replaces;
    /* Taken from here on: also for another of this batch. */
    held->instance_id = in->name->instance_id;
    held->tenant_id = tenant_id;
    held->free_at = 0;
    *ret_gone = false;
}

bool create_claims_name(struct engine_batch *batch, struct batch_input *in, struct uuid tenant_id) {
    bool there = !in->name || in->name_claimed;
    for (size_t k = 0; k < batch->held.n && in->name && !in->name_claimed && !in->answered; k++) {
        struct name *name = vec_at(&batch->held, struct name, k);
        if (!str_eq(name->host, in->name->host))
            continue;
        there = true;
        take_over(batch, in, name, vec_at(&batch->gone, bool, k), tenant_id);
    }
    return there;
}

int create_names_store(struct engine_batch *batch, struct err *err) {
    struct vec hosts = {0}, ids = {0};
    for (size_t i = 0; i < batch->creates.n; i++) {
        const struct batch_input *in = *vec_at(&batch->creates, struct batch_input *, i);
        if (!in->name_claimed ||
            (in->answered && in->input->answer.status == 202 && (!in->replayed || in->own)))
            continue;
        *vec_add(batch->base.arena, &hosts, const char *) = in->name->host;
        *vec_add(batch->base.arena, &ids, struct uuid) = in->name->instance_id;
    }
    if (!hosts.n)
        return 0;
    struct pg_params params = {.arena = batch->base.arena};
    pg_params_texts(&params, hosts.items, hosts.n);
    pg_params_uuids(&params, ids.items, ids.n);
    batch->base.sent++;
    return pg_send(batch->base.pg, query_names_give_back, &params, err);
}
