#include "coordinator/store/batch.h"

#include "base/json.h"
#include "base/str.h"
#include "coordinator/store/columns.h"
#include "sql/queries.h"

#include <string.h>

const struct pg_column plane_columns[] = {
    PG_COL(struct plane, id, PG_UUID),
    PG_COL(struct plane, name, PG_TEXT),
    PG_COL(struct plane, mode, PG_TEXT),
    PG_COL(struct plane, domain, PG_TEXT),
    PG_COL(struct plane, scheme, PG_TEXT),
    PG_COL(struct plane, public_port, PG_INT),
    PG_COL(struct plane, recovery_key, PG_BYTES),
    PG_COL(struct plane, link, PG_TEXT),
};
const int plane_columns_n = sizeof plane_columns / sizeof *plane_columns;

const struct pg_column node_columns[] = {
    PG_COL(struct node, id, PG_UUID),       PG_COL(struct node, plane_id, PG_UUID),
    PG_COL(struct node, name, PG_TEXT),     PG_COL(struct node, address, PG_TEXT),
    PG_COL(struct node, arch, PG_TEXT),     PG_COL(struct node, health, PG_TEXT),
    PG_COL(struct node, roles, PG_INT),     PG_COL(struct node, ready, PG_BOOL),
    PG_COL(struct node, cpu_milli, PG_INT), PG_COL(struct node, memory_mb, PG_INT),
    PG_COL(struct node, disk_mb, PG_INT),   PG_COL(struct node, port_low, PG_INT),
    PG_COL(struct node, port_high, PG_INT), PG_COL(struct node, labels, PG_TEXT),
};
const int node_columns_n = sizeof node_columns / sizeof *node_columns;

/* ---- load ---- */

int batch_send_load(struct batch *batch, const struct uuid *ids, size_t n, bool wait, struct err *err) {
    struct pg_params params = {.arena = batch->arena};
    pg_params_uuids(&params, ids, n);
    batch->asked = n > 0;
    if (!n) /* creates and works only: nine statements less */
        return pg_send(batch->pg, query_now, NULL, err);
    if (pg_send(batch->pg, wait ? query_instances_lock : query_instances_lock_free, &params, err) < 0)
        return -1;
    const char *const queries[] = {query_now,          query_instances_load, query_sets_load,
                                   query_intents_load, query_steps_load,     query_documents_load,
                                   query_names_load,   query_works_load,     query_planes_of};
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
        if (pg_send(batch->pg, table_statement(queries[i]), i == 0 ? NULL : &params, err) < 0)
            return -1;
    return 0;
}

struct subject *batch_subject(const struct batch *batch, struct uuid instance_id) {
    for (size_t i = 0; i < batch->subjects_n; i++)
        if (uuid_eq(batch->subjects[i]->instance->id, instance_id))
            return batch->subjects[i];
    return NULL;
}

static void append_subject(struct batch *batch, struct subject *subject) {
    struct subject **all = arena_alloc(batch->arena, (batch->subjects_n + 1) * sizeof *all);
    if (batch->subjects_n)
        memcpy(all, batch->subjects, batch->subjects_n * sizeof *all);
    all[batch->subjects_n++] = subject;
    batch->subjects = all;
}

struct subject *batch_add_subject(struct batch *batch, struct instance *instance,
                                  const struct release *release, const struct plane *plane) {
    struct subject *subject = arena_new(batch->arena, struct subject);
    subject->instance = instance;
    subject->release = release;
    subject->plane = plane;
    append_subject(batch, subject);
    return subject;
}

static bool is_locked(PGresult *locked, struct uuid id) {
    for (int i = 0; i < PQntuples(locked); i++)
        if (uuid_eq(pg_uuid(locked, i, 0), id))
            return true;
    return false;
}

static int read_releases(struct batch *batch, struct err *err) {
    cleanup_result PGresult *res = pg_next(batch->pg, err);
    if (!res)
        return -1;
    for (int i = 0; i < PQntuples(res); i++) {
        cleanup_json json_t *spec = json_loads(pg_text(res, i, 3), 0, NULL);
        struct release *release = release_parse(pg_uuid(res, i, 0), pg_text(res, i, 1), pg_text(res, i, 2),
                                                spec, pg_text(res, i, 4), err);
        if (!release)
            return err_wrap(err, "release of \"%s\"", pg_text(res, i, 1));
        (void)release_cache_put(batch->releases, release);
    }
    return 0;
}

static void add_id(struct batch *batch, struct vec *ids, struct uuid id) {
    for (size_t i = 0; i < ids->n; i++)
        if (uuid_eq(*vec_at(ids, struct uuid, i), id))
            return;
    if (!uuid_is_nil(id))
        *vec_add(batch->arena, ids, struct uuid) = id;
}

static int send_ids(struct batch *batch, const char *query, const struct vec *ids, struct err *err) {
    struct pg_params params = {.arena = batch->arena};
    pg_params_uuids(&params, ids->items, ids->n);
    return pg_send(batch->pg, query, &params, err);
}

int batch_load_releases(struct batch *batch, const struct uuid *ids, size_t n, struct err *err) {
    struct vec missing = {0};
    for (size_t i = 0; i < n; i++)
        if (!release_cache_get(batch->releases, ids[i]))
            add_id(batch, &missing, ids[i]);
    if (!missing.n)
        return 0;
    if (send_ids(batch, query_releases_load, &missing, err) < 0 || pg_sync(batch->pg, err) < 0)
        return -1;
    return read_releases(batch, err);
}

/* Next result as rows of one kind. */
static int read_rows(struct batch *batch, const struct pg_column *columns, int columns_n, size_t size,
                     struct vec *ret, struct err *err) {
    cleanup_result PGresult *res = pg_next(batch->pg, err);
    if (!res)
        return -1;
    pg_rows(res, columns, columns_n, size, batch->arena, ret);
    return 0;
}

static int read_table(struct batch *batch, enum table table, size_t size, struct vec *ret, struct err *err) {
    const struct table_statements *s = table_statements(table);
    return read_rows(batch, s->all, s->all_n, size, ret, err);
}

#define JOIN(rows, type, member)                                                                             \
    for (size_t i = 0; i < (rows).n; i++) {                                                                  \
        const type *row = vec_at(&(rows), type, i);                                                          \
        struct subject *subject = batch_subject(batch, row->instance_id);                                    \
        if (subject)                                                                                         \
            *vec_add(batch->arena, &subject->member, type) = *row;                                           \
    }

static void join_rows(struct batch *batch, struct vec sets, struct vec intents, struct vec steps,
                      struct vec documents, struct vec names, struct vec planes) {
    JOIN(sets, struct set, sets)
    JOIN(intents, struct intent, intents)
    JOIN(steps, struct step, steps)
    JOIN(documents, struct document, documents)
    for (size_t i = 0; i < names.n; i++) {
        struct name *name = vec_at(&names, struct name, i);
        struct subject *subject = batch_subject(batch, name->instance_id);
        if (subject)
            subject->name = name;
    }
    for (size_t i = 0; i < batch->subjects_n; i++)
        for (size_t p = 0; p < planes.n; p++)
            if (uuid_eq(vec_at(&planes, struct plane, p)->id, batch->subjects[i]->instance->plane_id))
                batch->subjects[i]->plane = vec_at(&planes, struct plane, p);
}

static const struct node *node_of(const struct vec *nodes, struct uuid id) {
    for (size_t i = 0; i < nodes->n; i++)
        if (uuid_eq(vec_at(nodes, struct node, i)->id, id))
            return vec_at(nodes, struct node, i);
    return NULL;
}

/* What most batches have or do not need: only now is it known. */
static int join_releases(struct batch *batch, struct err *err) {
    struct vec ids = {0};
    for (size_t i = 0; i < batch->subjects_n; i++)
        *vec_add(batch->arena, &ids, struct uuid) = batch->subjects[i]->instance->release_id;
    if (batch_load_releases(batch, ids.items, ids.n, err) < 0)
        return -1;
    for (size_t i = 0; i < batch->subjects_n; i++)
        batch->subjects[i]->release =
            release_cache_get(batch->releases, batch->subjects[i]->instance->release_id);
    return 0;
}

static int join_nodes(struct batch *batch, struct err *err) {
    struct vec ids = {0}, nodes = {0};
    for (size_t i = 0; i < batch->subjects_n; i++) {
        const struct subject *subject = batch->subjects[i];
        add_id(batch, &ids, subject->instance->edge_id);
        add_id(batch, &ids, subject->instance->prober_id);
        for (size_t k = 0; k < subject->sets.n; k++)
            add_id(batch, &ids, vec_at(&subject->sets, struct set, k)->node_id);
    }
    if (!ids.n)
        return 0;
    if (send_ids(batch, query_nodes_by_id, &ids, err) < 0 || pg_sync(batch->pg, err) < 0 ||
        read_rows(batch, node_columns, node_columns_n, sizeof(struct node), &nodes, err) < 0)
        return -1;
    for (size_t i = 0; i < batch->subjects_n; i++) {
        struct subject *subject = batch->subjects[i];
        subject->edge = node_of(&nodes, subject->instance->edge_id);
        subject->prober = node_of(&nodes, subject->instance->prober_id);
        for (size_t k = 0; k < subject->sets.n; k++) {
            struct set *set = vec_at(&subject->sets, struct set, k);
            set->host = node_of(&nodes, set->node_id);
        }
    }
    return 0;
}

/* A work may serve several subjects: each gets its copy (the instance is the column behind the row's own). */
static int read_works(struct batch *batch, struct err *err) {
    struct vec works = {0};
    cleanup_result PGresult *res = pg_next(batch->pg, err);
    if (!res)
        return -1;
    const struct table_statements *s = table_statements(TABLE_WORKS);
    pg_rows(res, s->all, s->all_n, sizeof(struct work), batch->arena, &works);
    for (size_t i = 0; i < works.n; i++) {
        struct subject *subject = batch_subject(batch, pg_uuid(res, (int)i, s->all_n));
        if (subject)
            *vec_add(batch->arena, &subject->works, struct work) = *vec_at(&works, struct work, i);
    }
    return 0;
}

/* Which key signs is what the transaction sees: all coordinators change it with one row. */
static int choose_key(struct carriage *carriage, PGresult *now, struct err *err) {
    const uint8_t *key = PQgetisnull(now, 0, 2) ? NULL : (const uint8_t *)PQgetvalue(now, 0, 2);
    if (!carriage->signing)
        return 0;
    if (signing_use(carriage->signing, key, err) < 0)
        return -1;
    carriage->keys = signing_key(carriage->signing);
    return 0;
}

int batch_read_load(struct batch *batch, struct err *err) {
    struct vec instances = {0}, sets = {0}, intents = {0}, steps = {0}, documents = {0}, names = {0},
               planes = {0};
    cleanup_result PGresult *locked = batch->asked ? pg_next(batch->pg, err) : NULL;
    cleanup_result PGresult *now = locked || !batch->asked ? pg_next(batch->pg, err) : NULL;
    if (!now)
        return -1;
    batch->now = pg_time(now, 0, 0);
    batch->epoch = pg_int(now, 0, 1);
    if (choose_key(batch->carriage, now, err) < 0)
        return -1;
    if (!batch->asked)
        return 0;
    if (read_table(batch, TABLE_INSTANCES, sizeof(struct instance), &instances, err) < 0)
        return -1;
    for (size_t i = 0; i < instances.n; i++) {
        struct instance *instance = vec_at(&instances, struct instance, i);
        if (is_locked(locked, instance->id))
            (void)batch_add_subject(batch, instance, NULL, NULL);
        else
            *vec_add(batch->arena, &batch->held, struct uuid) = instance->id;
    }
    if (read_table(batch, TABLE_SETS, sizeof(struct set), &sets, err) < 0 ||
        read_table(batch, TABLE_INTENTS, sizeof(struct intent), &intents, err) < 0 ||
        read_table(batch, TABLE_STEPS, sizeof(struct step), &steps, err) < 0 ||
        read_table(batch, TABLE_DOCUMENTS, sizeof(struct document), &documents, err) < 0 ||
        read_table(batch, TABLE_NAMES, sizeof(struct name), &names, err) < 0 || read_works(batch, err) < 0 ||
        read_rows(batch, plane_columns, plane_columns_n, sizeof(struct plane), &planes, err) < 0)
        return -1;
    join_rows(batch, sets, intents, steps, documents, names, planes);
    return join_releases(batch, err) < 0 ? -1 : join_nodes(batch, err);
}

struct decision *batch_decision(struct batch *batch, struct uuid seed) {
    struct decision *decision = arena_new(batch->arena, struct decision);
    *decision = (struct decision){
        .arena = batch->arena,
        .settings = &batch->settings,
        .now = batch->now,
        .epoch = batch->epoch,
        .random = batch->random,
        .seed = seed,
    };
    *vec_add(batch->arena, &batch->decisions, struct decision *) = decision;
    return decision;
}
