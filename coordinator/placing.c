/* Placement: a due row of a plane. The waiting instances are locked, then the due row is taken away, then the
 * plane is locked: whoever decides about an instance leaves its due row after locking it. One that was left
 * since the look stays: its instance was not seen. What place() finds are events for decide() in the same
 * transaction. A placement that only looked, without these locks, could see "full" and
 * sleep for ever. A transaction looks at one page of those that wait; where there may be more, it leaves a
 * due row for the page behind, "PLANE/LAST": a smaller one may fit where those before it do not. */
#include "base/str.h"
#include "coordinator/engine_own.h"
#include "coordinator/store/columns.h"
#include "model/place.h"
#include "sql/queries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAITING_MAX 64  /* as in place_waiting.sql */
#define IDS_EACH 512    /* of the 65,535 identities of a seed */
#define USAGE_COLUMN 14 /* of nodes_of_plane: CPU, memory, disk used, ports */

/* "{[20000,20003),[20005,20006)}", as PostgreSQL prints a multirange. */
static void read_ports(const char *text, struct node *node, struct arena *arena) {
    struct vec ports = {0};
    long long first, behind;
    for (const char *p = text ? strchr(text, '[') : NULL; p; p = strchr(p + 1, '['))
        if (sscanf(p, "[%lld,%lld)", &first, &behind) == 2) // NOLINT: of our own rows
            *vec_add(arena, &ports, struct ports) = (struct ports){first, behind - 1};
    node->ports = ports.items;
    node->ports_n = ports.n;
}

static int read_nodes(struct batch *batch, struct uuid plane_id, struct vec *nodes, struct err *err) {
    struct pg_params params = {.arena = batch->arena};
    pg_params_uuid(&params, plane_id);
    cleanup_result PGresult *res = pg_run(batch->pg, query_nodes_of_plane, &params, err);
    if (!res)
        return -1;
    pg_rows(res, node_columns, node_columns_n, sizeof(struct node), batch->arena, nodes);
    for (int row = 0; row < PQntuples(res); row++) {
        struct node *node = vec_at(nodes, struct node, row);
        node->cpu_used = pg_int(res, row, USAGE_COLUMN);
        node->memory_used = pg_int(res, row, USAGE_COLUMN + 1);
        node->disk_used = pg_int(res, row, USAGE_COLUMN + 2);
        read_ports(pg_text(res, row, USAGE_COLUMN + 3), node, batch->arena);
    }
    return 0;
}

/* A page of those that wait, behind `after`. *ret_after: the last of a page that is full. */
static int load_waiting(struct batch *batch, struct uuid plane_id, struct uuid after, struct uuid *ret_after,
                        struct err *err) {
    struct pg_params params = {.arena = batch->arena};
    struct vec ids = {0};
    pg_params_uuid(&params, plane_id);
    pg_params_uuid(&params, after);
    cleanup_result PGresult *res = pg_run(batch->pg, query_place_waiting, &params, err);
    if (!res)
        return -1;
    for (int row = 0; row < PQntuples(res); row++)
        *vec_add(batch->arena, &ids, struct uuid) = pg_uuid(res, row, 0);
    if (ids.n == WAITING_MAX)
        *ret_after = *vec_at(&ids, struct uuid, ids.n - 1);
    if (pg_pipeline_begin(batch->pg, err) < 0)
        return -1;
    int rc = batch_send_load(batch, ids.items, ids.n, true, err);
    if (rc == 0)
        rc = pg_sync(batch->pg, err);
    if (rc == 0)
        rc = batch_read_load(batch, err);
    pg_pipeline_end(batch->pg);
    return rc;
}

static bool waits_for_room(const struct subject *subject) {
    for (size_t i = 0; i < subject->steps.n; i++) {
        const struct step *step = vec_at(&subject->steps, struct step, i);
        if (step->kind == STEP_PLACE && step->state == STEP_OPEN)
            return true;
    }
    return false;
}

static void place_all(struct batch *batch, const struct vec *nodes, const struct input *input) {
    for (size_t i = 0; i < batch->subjects_n; i++) {
        struct subject *subject = batch->subjects[i];
        struct refusal refusal;
        if (!waits_for_room(subject)) /* deleted between the look and the lock */
            continue;
        struct placement found = place(nodes->items, nodes->n, subject->instance, batch->arena);
        struct decide_event event = {.kind = found.host ? DECIDE_PLACED : DECIDE_NO_ROOM,
                                     .host = found.host,
                                     .edge = found.edge,
                                     .prober = found.prober,
                                     .port = found.port,
                                     .reason = found.reason};
        /* Each subject draws from a share of the seed's identities of its own. */
        struct decision *decision = batch_decision(batch, input->seed);
        decision->ids = (unsigned)(i * IDS_EACH);
        (void)decide(subject, &event, decision, &refusal);
    }
}

static int store(struct batch *batch, struct err *err) {
    if (pg_pipeline_begin(batch->pg, err) < 0)
        return -1;
    int rc = batch_send_store(batch, err);
    if (rc == 0)
        rc = pg_sync(batch->pg, err);
    if (rc == 0)
        rc = batch_read_store(batch, err);
    pg_pipeline_end(batch->pg);
    return rc;
}

/* "PLANE", or "PLANE/LAST" for the page behind LAST. */
static bool read_subject(const char *text, struct uuid *ret_plane_id, struct uuid *ret_after) {
    char plane[UUID_HEX_SIZE];
    size_t n = strcspn(text, "/");
    if (n >= sizeof plane)
        return false;
    (void)snprintf(plane, sizeof plane, "%.*s", (int)n, text);
    return uuid_parse(plane, ret_plane_id) && (!text[n] || uuid_parse(text + n + 1, ret_after));
}

/* Before the plane is locked: another coordinator that has claimed this very row waits for the plane. */
static int leave_next(struct batch *batch, struct uuid plane_id, struct uuid after, struct err *err) {
    char plane[UUID_HEX_SIZE], last[UUID_HEX_SIZE];
    if (uuid_is_nil(after))
        return 0;
    struct timer next = {
        .kind = TIMER_PLACE,
        .subject = arena_printf(batch->arena, "%s/%s", uuid_hex(plane_id, plane), uuid_hex(after, last)),
        .due_at = batch->now};
    const void *row = &next;
    struct pg_params params = {.arena = batch->arena};
    const struct table_statements *s = table_statements(TABLE_TIMERS);
    pg_params_rows(&params, s->all, s->all_n, &row, 1);
    batch->due_now = true;
    PGresult *res = pg_run(batch->pg, table_statement(query_timers_insert), &params, err);
    PQclear(res);
    return res ? 0 : -1;
}

int placing_run(struct batch *batch, const struct input *input, struct err *err) {
    struct uuid plane_id, after = {0}, next = {0};
    struct vec nodes = {0};
    if (!read_subject(input->timer_subject, &plane_id, &after))
        return 0;
    struct pg_params look = {.arena = batch->arena}, claim = look, plane = look;
    pg_params_text(&look, input->timer_subject);
    pg_params_text(&claim, input->timer_subject);
    pg_params_uuid(&plane, plane_id);
    if (pg_script(batch->pg, "begin", err) < 0)
        return -1;
    cleanup_result PGresult *due = pg_run(batch->pg, query_place_due, &look, err);
    if (!due)
        return -1;
    if (PQntuples(due) == 0) /* another coordinator's by now */
        return pg_script(batch->pg, "rollback", err);
    if (load_waiting(batch, plane_id, after, &next, err) < 0)
        return -1;
    pg_params_text(&claim, pg_text(due, 0, 0));
    cleanup_result PGresult *claimed = pg_run(batch->pg, query_place_claim, &claim, err);
    if (!claimed)
        return -1;
    if (PQntuples(claimed) == 0) /* it is due again: with another look */
        return pg_script(batch->pg, "rollback", err);
    if (leave_next(batch, plane_id, next, err) < 0)
        return -1;
    cleanup_result PGresult *locked = pg_run(batch->pg, query_planes_lock, &plane, err);
    if (!locked || read_nodes(batch, plane_id, &nodes, err) < 0)
        return -1;
    place_all(batch, &nodes, input);
    if (store(batch, err) < 0)
        return -1;
    return pg_script(batch->pg, "commit", err);
}
