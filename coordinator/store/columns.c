/* The columns of each table, in one place: a row here is all that a new column needs beside its migration. */
#include "coordinator/store/columns.h"

#include "model/rows.h"

static const char *const labels_state[STATE_COUNT] = {
#define STATE(id, name, what) name,
#include "model/tables.def"
};
static const char *const labels_intent[INTENT_COUNT] = {
#define INTENT(id, name, event, what) name,
#include "model/tables.def"
};
static const char *const labels_walk[WALK_COUNT] = {
#define WALK(id, name, from, end, event, what) name,
#include "model/tables.def"
};
static const char *const labels_step[STEP_COUNT] = {
#define STEP(id, name, carrier, deadline_s, attempts, backoff_s, what) name,
#include "model/tables.def"
};
static const char *const labels_document[DOCUMENT_KIND_COUNT] = {
#define DOCUMENT(id, name, step, of, role, what) name,
#include "model/tables.def"
};
static const char *const labels_want[] = {"", "on", "off", "ended", "absent"};
static const char *const labels_intent_state[] = {"queued", "running", "done", "failed", "dropped"};
static const char *const labels_step_state[] = {"waiting", "open", "done", "parked", "dropped"};
static const char *const labels_work_state[] = {"open", "done", "failed"};

/* Which member of a row a column is. */
#define COL(role, member, column, row, kind)                                                                 \
    { column, COLUMN_##role, PG_COL(row, member, kind) }
#define ENUM(role, member, column, row, labels, count)                                                       \
    { column, COLUMN_##role, PG_COL_ENUM(row, member, labels, count) }

static const struct table_column instances_list[] = {
    COL(FIXED, tenant_id, "tenant_id", struct instance, PG_UUID),
    COL(KEY, id, "id", struct instance, PG_UUID),
    COL(FIXED, customer_id, "customer_id", struct instance, PG_UUID),
    COL(FIXED, plane_id, "plane_id", struct instance, PG_UUID),
    COL(FIXED, release_id, "release_id", struct instance, PG_UUID),
    COL(FIXED, size_id, "size_id", struct instance, PG_UUID),
    COL(CHANGES, node_id, "node_id", struct instance, PG_UUID),
    COL(CHANGES, edge_id, "edge_id", struct instance, PG_UUID),
    COL(CHANGES, prober_id, "prober_id", struct instance, PG_UUID),
    COL(FIXED, name, "name", struct instance, PG_TEXT),
    COL(FIXED, host, "host", struct instance, PG_TEXT),
    COL(FIXED, inputs, "inputs", struct instance, PG_JSON),
    COL(CHANGES, images, "images", struct instance, PG_JSON),
    COL(CHANGES, commits, "commits", struct instance, PG_JSON),
    COL(FIXED, public_url, "public_url", struct instance, PG_TEXT),
    COL(CHANGES, health, "health", struct instance, PG_TEXT),
    COL(CHANGES, health_reason, "health_reason", struct instance, PG_TEXT),
    COL(CHANGES, problem, "problem", struct instance, PG_TEXT),
    COL(CHANGES, serving, "serving", struct instance, PG_TEXT),
    COL(FIXED, requires, "requires", struct instance, PG_TEXT),
    COL(FIXED, prefers, "prefers", struct instance, PG_TEXT),
    ENUM(CHANGES, state, "state", struct instance, labels_state, STATE_COUNT),
    COL(CHANGES, accepted, "accepted", struct instance, PG_INT),
    COL(CHANGES, running, "running", struct instance, PG_INT),
    COL(CHANGES, port, "port", struct instance, PG_INT),
    COL(FIXED, memory_mb, "memory_mb", struct instance, PG_INT),
    COL(FIXED, cpu_milli, "cpu_milli", struct instance, PG_INT),
    COL(FIXED, disk_mb, "disk_mb", struct instance, PG_INT),
    COL(CHANGES, disk_used_mb, "disk_used_mb", struct instance, PG_INT),
    COL(FIXED, trial_days, "trial_days", struct instance, PG_INT),
    COL(CHANGES, event_seq, "event_seq", struct instance, PG_INT),
    COL(CHANGES, expires_at, "expires_at", struct instance, PG_TIME),
    COL(FIXED, created_at, "created_at", struct instance, PG_TIME),
    COL(CHANGES, updated_at, "updated_at", struct instance, PG_TIME),
};

static const struct table_column sets_list[] = {
    COL(KEY, tenant_id, "tenant_id", struct set, PG_UUID),
    COL(KEY, instance_id, "instance_id", struct set, PG_UUID),
    COL(KEY, letter, "letter", struct set, PG_TEXT),
    COL(FIXED, release_id, "release_id", struct set, PG_UUID),
    COL(CHANGES, node_id, "node_id", struct set, PG_UUID),
    COL(CHANGES, port, "port", struct set, PG_INT),
    COL(CHANGES, images, "images", struct set, PG_JSON),
    COL(CHANGES, commits, "commits", struct set, PG_JSON),
    COL(CHANGES, provenance, "provenance", struct set, PG_JSON),
    COL(CHANGES, copies, "copies", struct set, PG_JSON),
    ENUM(CHANGES, state, "state", struct set, set_state_names, SET_GONE + 1),
};

static const struct table_column intents_list[] = {
    COL(KEY, tenant_id, "tenant_id", struct intent, PG_UUID),
    COL(KEY, instance_id, "instance_id", struct intent, PG_UUID),
    COL(KEY, generation, "generation", struct intent, PG_INT),
    ENUM(FIXED, kind, "kind", struct intent, labels_intent, INTENT_COUNT),
    ENUM(CHANGES, walk, "walk", struct intent, labels_walk, WALK_COUNT),
    ENUM(CHANGES, state, "state", struct intent, labels_intent_state, 5),
    COL(FIXED, request_id, "request_id", struct intent, PG_UUID),
    COL(FIXED, params, "params", struct intent, PG_JSON),
    COL(FIXED, trace, "trace", struct intent, PG_TEXT),
    COL(FIXED, accepted_at, "accepted_at", struct intent, PG_TIME),
    COL(CHANGES, started_at, "started_at", struct intent, PG_TIME),
    COL(CHANGES, ended_at, "ended_at", struct intent, PG_TIME),
};

static const struct table_column steps_list[] = {
    COL(KEY, tenant_id, "tenant_id", struct step, PG_UUID),
    COL(KEY, instance_id, "instance_id", struct step, PG_UUID),
    COL(KEY, generation, "generation", struct step, PG_INT),
    COL(KEY, act, "act", struct step, PG_TEXT),
    ENUM(FIXED, kind, "step", struct step, labels_step, STEP_COUNT),
    COL(FIXED, letter, "letter", struct step, PG_TEXT),
    COL(KEY, part, "part", struct step, PG_TEXT),
    ENUM(CHANGES, state, "state", struct step, labels_step_state, 5),
    COL(CHANGES, attempt, "attempt", struct step, PG_INT),
    COL(CHANGES, order_id, "order_id", struct step, PG_UUID),
    COL(CHANGES, work_key, "work_key", struct step, PG_TEXT),
    COL(CHANGES, next_at, "next_at", struct step, PG_TIME),
    COL(CHANGES, started_at, "started_at", struct step, PG_TIME),
    COL(CHANGES, ended_at, "ended_at", struct step, PG_TIME),
    COL(CHANGES, cls, "class", struct step, PG_TEXT),
    COL(CHANGES, problem, "problem", struct step, PG_TEXT),
    COL(CHANGES, lines, "lines", struct step, PG_TEXT),
    COL(CHANGES, facts, "facts", struct step, PG_JSON),
};

static const struct table_column documents_list[] = {
    COL(FIXED, tenant_id, "tenant_id", struct document, PG_UUID),
    COL(KEY, node_id, "node_id", struct document, PG_UUID),
    COL(KEY, instance_id, "instance_id", struct document, PG_UUID),
    ENUM(KEY, kind, "kind", struct document, labels_document, DOCUMENT_KIND_COUNT),
    COL(KEY, letter, "letter", struct document, PG_TEXT),
    ENUM(CHANGES, want, "want", struct document, labels_want, WANT_ABSENT + 1),
    COL(CHANGES, epoch, "epoch", struct document, PG_INT),
    COL(CHANGES, revision, "revision", struct document, PG_INT),
    COL(CHANGES, generation, "generation", struct document, PG_INT),
    COL(CHANGES, absent, "absent", struct document, PG_BOOL),
    COL(CHANGES, purge, "purge", struct document, PG_BOOL),
    COL(CHANGES, confirmed, "confirmed", struct document, PG_BOOL),
    COL(CHANGES, content, "content", struct document, PG_BYTES),
    COL(CHANGES, envelope, "envelope", struct document, PG_BYTES),
    COL(CHANGES, condition, "condition", struct document, PG_TEXT),
    COL(CHANGES, observed, "observed", struct document, PG_INT),
    COL(CHANGES, stream, "stream", struct document, PG_UUID),
    COL(CHANGES, report_n, "report_n", struct document, PG_INT),
    COL(CHANGES, trace, "trace", struct document, PG_TEXT),
};

static const struct table_column names_list[] = {
    COL(KEY, host, "host", struct name, PG_TEXT),
    COL(CHANGES, tenant_id, "tenant_id", struct name, PG_UUID),
    COL(CHANGES, instance_id, "instance_id", struct name, PG_UUID),
    COL(CHANGES, serial, "serial", struct name, PG_INT),
    COL(CHANGES, held, "held", struct name, PG_BOOL),
    COL(CHANGES, replaces, "replaces", struct name, PG_TEXT),
    COL(CHANGES, free_at, "free_at", struct name, PG_TIME),
};

static const struct table_column works_list[] = {
    COL(KEY, key, "key", struct work, PG_TEXT),
    ENUM(FIXED, kind, "kind", struct work, labels_step, STEP_COUNT),
    ENUM(CHANGES, state, "state", struct work, labels_work_state, 3),
    COL(CHANGES, order_id, "order_id", struct work, PG_UUID),
    COL(CHANGES, attempt, "attempt", struct work, PG_INT),
    COL(CHANGES, next_at, "next_at", struct work, PG_TIME),
    COL(CHANGES, opened_at, "opened_at", struct work, PG_TIME),
    COL(CHANGES, settled_at, "settled_at", struct work, PG_TIME),
    COL(FIXED, params, "params", struct work, PG_JSON),
    COL(CHANGES, facts, "facts", struct work, PG_JSON),
    COL(CHANGES, cls, "class", struct work, PG_TEXT),
    COL(CHANGES, problem, "problem", struct work, PG_TEXT),
    COL(CHANGES, lines, "lines", struct work, PG_TEXT),
};

static const struct table_column events_list[] = {
    COL(KEY, id, "id", struct event_row, PG_UUID),
    COL(FIXED, tenant_id, "tenant_id", struct event_row, PG_UUID),
    COL(FIXED, instance_id, "instance_id", struct event_row, PG_UUID),
    COL(FIXED, sequence, "sequence", struct event_row, PG_INT),
    COL(FIXED, generation, "generation", struct event_row, PG_INT),
    COL(FIXED, at, "at", struct event_row, PG_TIME),
    COL(FIXED, type, "type", struct event_row, PG_TEXT),
    COL(FIXED, data, "data", struct event_row, PG_JSON),
    COL(FIXED, trace, "trace", struct event_row, PG_TEXT),
};

static const struct table_column timers_list[] = {
    ENUM(KEY, kind, "kind", struct timer, timer_kind_names, TIMER_KIND_COUNT),
    COL(KEY, subject, "subject", struct timer, PG_TEXT),
    COL(FIXED, due_at, "due_at", struct timer, PG_TIME),
};

#define TABLE(table)                                                                                         \
    { #table, table##_list, sizeof table##_list / sizeof *table##_list }

const struct table_row table_rows[TABLE_COUNT] = {
    [TABLE_INSTANCES] = TABLE(instances), [TABLE_SETS] = TABLE(sets),
    [TABLE_INTENTS] = TABLE(intents),     [TABLE_STEPS] = TABLE(steps),
    [TABLE_DOCUMENTS] = TABLE(documents), [TABLE_NAMES] = TABLE(names),
    [TABLE_WORKS] = TABLE(works),         [TABLE_EVENTS] = TABLE(events),
    [TABLE_TIMERS] = TABLE(timers),
};
