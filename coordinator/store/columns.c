/* Which member of a row goes into which column: the order of the lists in sql/queries. */
#include "coordinator/store/columns.h"

static const char *const labels_state[STATE_COUNT] = {
#define STATE(id, name, what) name,
#include "model/tables.def"
};
static const char *const labels_intent[INTENT_COUNT] = {
#define INTENT(id, name, event, what) name,
#include "model/tables.def"
};
static const char *const labels_walk[WALK_COUNT] = {
#define WALK(id, name, end, what) name,
#include "model/tables.def"
};
static const char *const labels_step[STEP_COUNT] = {
#define STEP(id, name, carrier, deadline_s, attempts, backoff_s, what) name,
#include "model/tables.def"
};
static const char *const labels_intent_state[] = {"queued", "running", "done", "failed", "dropped"};
static const char *const labels_step_state[] = {"waiting", "open", "done", "parked", "dropped"};
static const char *const labels_work_state[] = {"open", "done", "failed"};

const struct pg_column instance_columns[] = {
    PG_COL(struct instance, tenant_id, PG_UUID),
    PG_COL(struct instance, id, PG_UUID),
    PG_COL(struct instance, customer_id, PG_UUID),
    PG_COL(struct instance, plane_id, PG_UUID),
    PG_COL(struct instance, release_id, PG_UUID),
    PG_COL(struct instance, size_id, PG_UUID),
    PG_COL(struct instance, node_id, PG_UUID),
    PG_COL(struct instance, edge_id, PG_UUID),
    PG_COL(struct instance, prober_id, PG_UUID),
    PG_COL(struct instance, name, PG_TEXT),
    PG_COL(struct instance, host, PG_TEXT),
    PG_COL(struct instance, inputs, PG_JSON),
    PG_COL(struct instance, images, PG_JSON),
    PG_COL(struct instance, public_url, PG_TEXT),
    PG_COL(struct instance, health, PG_TEXT),
    PG_COL(struct instance, problem, PG_TEXT),
    PG_COL_ENUM(struct instance, state, labels_state, STATE_COUNT),
    PG_COL(struct instance, accepted, PG_INT),
    PG_COL(struct instance, running, PG_INT),
    PG_COL(struct instance, port, PG_INT),
    PG_COL(struct instance, memory_mb, PG_INT),
    PG_COL(struct instance, cpu_milli, PG_INT),
    PG_COL(struct instance, disk_mb, PG_INT),
    PG_COL(struct instance, trial_days, PG_INT),
    PG_COL(struct instance, event_seq, PG_INT),
    PG_COL(struct instance, expires_at, PG_TIME),
    PG_COL(struct instance, created_at, PG_TIME),
    PG_COL(struct instance, updated_at, PG_TIME),
};
const int instance_columns_n = sizeof instance_columns / sizeof *instance_columns;

const struct pg_column instance_update_columns[] = {
    PG_COL(struct instance, id, PG_UUID),
    PG_COL(struct instance, node_id, PG_UUID),
    PG_COL(struct instance, edge_id, PG_UUID),
    PG_COL(struct instance, prober_id, PG_UUID),
    PG_COL(struct instance, images, PG_JSON),
    PG_COL(struct instance, health, PG_TEXT),
    PG_COL(struct instance, problem, PG_TEXT),
    PG_COL_ENUM(struct instance, state, labels_state, STATE_COUNT),
    PG_COL(struct instance, accepted, PG_INT),
    PG_COL(struct instance, running, PG_INT),
    PG_COL(struct instance, port, PG_INT),
    PG_COL(struct instance, event_seq, PG_INT),
    PG_COL(struct instance, expires_at, PG_TIME),
    PG_COL(struct instance, updated_at, PG_TIME),
};
const int instance_update_columns_n = sizeof instance_update_columns / sizeof *instance_update_columns;

const struct pg_column intent_columns[] = {
    PG_COL(struct intent, tenant_id, PG_UUID),
    PG_COL(struct intent, instance_id, PG_UUID),
    PG_COL(struct intent, generation, PG_INT),
    PG_COL_ENUM(struct intent, kind, labels_intent, INTENT_COUNT),
    PG_COL_ENUM(struct intent, walk, labels_walk, WALK_COUNT),
    PG_COL_ENUM(struct intent, state, labels_intent_state, 5),
    PG_COL(struct intent, request_id, PG_UUID),
    PG_COL(struct intent, params, PG_JSON),
    PG_COL(struct intent, trace, PG_TEXT),
    PG_COL(struct intent, accepted_at, PG_TIME),
    PG_COL(struct intent, started_at, PG_TIME),
    PG_COL(struct intent, ended_at, PG_TIME),
};
const int intent_columns_n = sizeof intent_columns / sizeof *intent_columns;

const struct pg_column intent_update_columns[] = {
    PG_COL(struct intent, tenant_id, PG_UUID),
    PG_COL(struct intent, instance_id, PG_UUID),
    PG_COL(struct intent, generation, PG_INT),
    PG_COL_ENUM(struct intent, walk, labels_walk, WALK_COUNT),
    PG_COL_ENUM(struct intent, state, labels_intent_state, 5),
    PG_COL(struct intent, started_at, PG_TIME),
    PG_COL(struct intent, ended_at, PG_TIME),
};
const int intent_update_columns_n = sizeof intent_update_columns / sizeof *intent_update_columns;

const struct pg_column step_columns[] = {
    PG_COL(struct step, tenant_id, PG_UUID),  PG_COL(struct step, instance_id, PG_UUID),
    PG_COL(struct step, generation, PG_INT),  PG_COL_ENUM(struct step, kind, labels_step, STEP_COUNT),
    PG_COL(struct step, part, PG_TEXT),       PG_COL_ENUM(struct step, state, labels_step_state, 5),
    PG_COL(struct step, attempt, PG_INT),     PG_COL(struct step, order_id, PG_UUID),
    PG_COL(struct step, work_key, PG_TEXT),   PG_COL(struct step, next_at, PG_TIME),
    PG_COL(struct step, started_at, PG_TIME), PG_COL(struct step, ended_at, PG_TIME),
    PG_COL(struct step, cls, PG_TEXT),        PG_COL(struct step, problem, PG_TEXT),
    PG_COL(struct step, lines, PG_TEXT),      PG_COL(struct step, facts, PG_JSON),
};
const int step_columns_n = sizeof step_columns / sizeof *step_columns;

/* every column changes or is a key */

const struct pg_column event_columns[] = {
    PG_COL(struct event_row, id, PG_UUID),          PG_COL(struct event_row, tenant_id, PG_UUID),
    PG_COL(struct event_row, instance_id, PG_UUID), PG_COL(struct event_row, sequence, PG_INT),
    PG_COL(struct event_row, generation, PG_INT),   PG_COL(struct event_row, at, PG_TIME),
    PG_COL(struct event_row, type, PG_TEXT),        PG_COL(struct event_row, data, PG_JSON),
    PG_COL(struct event_row, trace, PG_TEXT),
};
const int event_columns_n = sizeof event_columns / sizeof *event_columns;

const struct pg_column document_columns[] = {
    PG_COL(struct document, tenant_id, PG_UUID),
    PG_COL(struct document, node_id, PG_UUID),
    PG_COL(struct document, instance_id, PG_UUID),
    PG_COL_ENUM(struct document, kind, document_kind_names, DOCUMENT_KIND_COUNT),
    PG_COL(struct document, epoch, PG_INT),
    PG_COL(struct document, revision, PG_INT),
    PG_COL(struct document, generation, PG_INT),
    PG_COL(struct document, absent, PG_BOOL),
    PG_COL(struct document, purge, PG_BOOL),
    PG_COL(struct document, confirmed, PG_BOOL),
    PG_COL(struct document, content, PG_BYTES),
    PG_COL(struct document, envelope, PG_BYTES),
    PG_COL(struct document, condition, PG_TEXT),
    PG_COL(struct document, observed, PG_INT),
    PG_COL(struct document, stream, PG_UUID),
    PG_COL(struct document, report_n, PG_INT),
    PG_COL(struct document, trace, PG_TEXT),
};
const int document_columns_n = sizeof document_columns / sizeof *document_columns;

const struct pg_column document_update_columns[] = {
    PG_COL(struct document, node_id, PG_UUID),
    PG_COL(struct document, instance_id, PG_UUID),
    PG_COL_ENUM(struct document, kind, document_kind_names, DOCUMENT_KIND_COUNT),
    PG_COL(struct document, epoch, PG_INT),
    PG_COL(struct document, revision, PG_INT),
    PG_COL(struct document, generation, PG_INT),
    PG_COL(struct document, absent, PG_BOOL),
    PG_COL(struct document, purge, PG_BOOL),
    PG_COL(struct document, confirmed, PG_BOOL),
    PG_COL(struct document, content, PG_BYTES),
    PG_COL(struct document, envelope, PG_BYTES),
    PG_COL(struct document, condition, PG_TEXT),
    PG_COL(struct document, observed, PG_INT),
    PG_COL(struct document, stream, PG_UUID),
    PG_COL(struct document, report_n, PG_INT),
    PG_COL(struct document, trace, PG_TEXT),
};
const int document_update_columns_n = sizeof document_update_columns / sizeof *document_update_columns;

const struct pg_column name_columns[] = {
    PG_COL(struct name, host, PG_TEXT),        PG_COL(struct name, tenant_id, PG_UUID),
    PG_COL(struct name, instance_id, PG_UUID), PG_COL(struct name, serial, PG_INT),
    PG_COL(struct name, held, PG_BOOL),        PG_COL(struct name, replaces, PG_TEXT),
    PG_COL(struct name, free_at, PG_TIME),
};
const int name_columns_n = sizeof name_columns / sizeof *name_columns;

/* every column changes or is a key */

const struct pg_column work_columns[] = {
    PG_COL(struct work, key, PG_TEXT),
    PG_COL_ENUM(struct work, kind, labels_step, STEP_COUNT),
    PG_COL_ENUM(struct work, state, labels_work_state, 3),
    PG_COL(struct work, order_id, PG_UUID),
    PG_COL(struct work, attempt, PG_INT),
    PG_COL(struct work, next_at, PG_TIME),
    PG_COL(struct work, opened_at, PG_TIME),
    PG_COL(struct work, settled_at, PG_TIME),
    PG_COL(struct work, params, PG_JSON),
    PG_COL(struct work, facts, PG_JSON),
    PG_COL(struct work, cls, PG_TEXT),
    PG_COL(struct work, problem, PG_TEXT),
    PG_COL(struct work, lines, PG_TEXT),
};
const int work_columns_n = sizeof work_columns / sizeof *work_columns;

const struct pg_column work_update_columns[] = {
    PG_COL(struct work, key, PG_TEXT),        PG_COL_ENUM(struct work, state, labels_work_state, 3),
    PG_COL(struct work, order_id, PG_UUID),   PG_COL(struct work, attempt, PG_INT),
    PG_COL(struct work, next_at, PG_TIME),    PG_COL(struct work, opened_at, PG_TIME),
    PG_COL(struct work, settled_at, PG_TIME), PG_COL(struct work, facts, PG_JSON),
    PG_COL(struct work, cls, PG_TEXT),        PG_COL(struct work, problem, PG_TEXT),
    PG_COL(struct work, lines, PG_TEXT),
};
const int work_update_columns_n = sizeof work_update_columns / sizeof *work_update_columns;

const struct pg_column timer_columns[] = {
    PG_COL_ENUM(struct timer, kind, timer_kind_names, TIMER_KIND_COUNT),
    PG_COL(struct timer, subject, PG_TEXT),
    PG_COL(struct timer, due_at, PG_TIME),
};
const int timer_columns_n = sizeof timer_columns / sizeof *timer_columns;
