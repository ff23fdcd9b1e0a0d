/* The rows that decisions are made of, as plain data: the columns of the tables of the same names
 * (docs/SQL.md), nothing else. Text is NULL where the column is; it lives in the arena of whoever loaded or
 * decided the row. Times are microseconds since 1970 UTC; 0 means the column is NULL. */
#ifndef FAIRLEAD_MODEL_ROWS_H
#define FAIRLEAD_MODEL_ROWS_H

#include "base/uuid.h"
#include "model/tables.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a decision did to a row: the store writes what is not KEPT. */
enum change { ROW_KEPT, ROW_CHANGED, ROW_NEW };
static inline void row_touch(enum change *change) {
    if (*change == ROW_KEPT)
        *change = ROW_CHANGED;
}

struct bytes {
    const void *p;
    size_t n;
};

struct instance {
    enum change change;
    struct uuid tenant_id, id, customer_id, plane_id, release_id, size_id, node_id, edge_id, prober_id;
    const char *name, *host, *inputs, *public_url, *health, *health_reason, *problem;
    const char *images, *commits;   /* as of the set that serves, like node_id and port */
    const char *serving;            /* letter of the set that its names lead to */
    const char *requires, *prefers; /* labels of its host (labels.h) */
    int state;
    int64_t accepted, running, port, memory_mb, cpu_milli, disk_mb, disk_used_mb, expires_at, trial_days,
        event_seq, created_at, updated_at;
};

/* PLANNED: no room is reserved for it yet; GONE: nothing of it is left. */
enum set_state { SET_PLANNED, SET_PLACED, SET_GONE };
extern const char *const set_state_names[SET_GONE + 1];

/* One Compose project of an instance: what runs of one release on one host. A second one can start beside the
 * first; secrets and names are the instance's. */
struct set {
    enum change change;
    struct uuid tenant_id, instance_id, release_id, node_id;
    const char *letter;
    const char *images, *commits; /* JSON, by the image's name: repository@digest; what it was built from */
    const char *provenance; /* JSON, by the image's name: statement (model/provenance.h); NULL: of none */
    const char *copies; /* JSON, by the volume's name: which copy of it is mounted; NULL: the first of each */
    int64_t port;
    int state;
    const struct node *host; /* not a column: its node, once it is placed */
};

enum intent_state { INTENT_QUEUED, INTENT_RUNNING, INTENT_DONE, INTENT_FAILED, INTENT_DROPPED };

struct intent {
    enum change change;
    struct uuid tenant_id, instance_id, request_id;
    int64_t generation, accepted_at, started_at, ended_at;
    int kind, walk, state;
    const char *params, *trace;
};

/* WAITING for steps before it; OPEN: sent, or about to be sent again at next_at. */
enum step_state { STEP_WAITING, STEP_OPEN, STEP_DONE, STEP_PARKED, STEP_DROPPED };

struct step {
    enum change change;
    struct uuid tenant_id, instance_id, order_id;
    int64_t generation, attempt, next_at, started_at, ended_at;
    int kind, state;
    const char *act;    /* which of its walk's: the key, with `part` */
    const char *letter; /* of the set that it is about */
    const char *part;   /* image of a release that has several; "" elsewhere */
    const char *work_key, *cls, *problem, *lines, *facts;
};

struct document {
    enum change change;
    bool send;  /* an outbox row must carry it (again) */
    bool purge; /* of an absent stack: its volumes too */
    struct uuid tenant_id, node_id, instance_id;
    int kind;
    const char *letter; /* of the set; the first for what is the instance's own */
    int want;           /* enum want, as content was made for it */
    int64_t epoch, revision, generation;
    bool absent, confirmed;
    struct bytes content, envelope;
    const char *condition, *trace;
    int64_t observed;   /* revision that `condition` speaks of */
    struct uuid stream; /* of the last report about it: those of a node rise */
    int64_t report_n;   /* of `stream` */
};

struct name {
    enum change change;
    const char *host;
    struct uuid tenant_id, instance_id;
    int64_t serial, free_at;
    const char *replaces; /* marker of the owner before, while it may still stand in DNS */
    bool held;            /* an address may be in DNS */
};

/* Something due. Writing one with the same kind and subject moves it; due_at 0 takes it away. */
enum timer_kind { TIMER_EXPIRE, TIMER_WORK, TIMER_PLACE, TIMER_INSTANCE, TIMER_REFRESH, TIMER_KIND_COUNT };
extern const char *const timer_kind_names[TIMER_KIND_COUNT];

struct timer {
    int kind;
    const char *subject; /* an identity in hex, or a work key */
    int64_t due_at;
};

enum work_state { WORK_OPEN, WORK_DONE, WORK_FAILED };

/* Work that belongs to a key and not to an instance: a source to resolve, an image to build, the marker of a
 * name to forget (its key: this and the host). */
#define WORK_FORGET "forget:"
struct work {
    enum change change;
    const char *key; /* "resolve:...", "build:..." or "forget:..." */
    int kind;        /* STEP_RESOLVE, STEP_BUILD or STEP_NAME */
    int state;
    struct uuid order_id;
    int64_t attempt, next_at, opened_at, settled_at;
    const char *params; /* JSON: source, base, args, commit, image, policy; of a name: host, owner */
    const char *facts, *cls, *problem, *lines;
};

struct event_row {
    struct uuid id, tenant_id, instance_id;
    int64_t sequence, generation, at;
    const char *type, *data, *trace;
};

struct plane {
    struct uuid id;
    const char *name, *mode, *domain, *scheme;
    int64_t public_port;
    struct bytes recovery_key;
    const char *link; /* "online", or "file": its nodes are told and heard by files that somebody carries */
};

struct ports {
    int64_t first, last;
};

struct node {
    struct uuid id, plane_id;
    const char *name, *address, *arch, *health, *labels;
    bool ready;
    int64_t roles;                                              /* bits of enum role */
    int64_t cpu_milli, memory_mb, disk_mb, port_low, port_high; /* capacity */
    int64_t cpu_used, memory_used, disk_used;                   /* reserved by instances */
    const struct ports *ports;                                  /* taken, in order */
    size_t ports_n;
};

#endif
