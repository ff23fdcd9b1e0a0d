/* decide(subject, event, decision): what follows for one instance from one event. Pure: no I/O, no clock, no
 * identity of its own. Everything that it may look at is in the subject; the time, the epoch and a seed are
 * in the decision; what follows is the changed rows of the subject plus events, orders and timers. Whoever
 * calls (the engine, a test, the simulator) stores all of that in one transaction or none of it. */
#ifndef FAIRLEAD_MODEL_DECIDE_H
#define FAIRLEAD_MODEL_DECIDE_H

#include "base/mem.h"
#include "model/catalog.h"
#include "model/rows.h"

/* All that a decision about one instance may look at. Rows are changed in place and marked. */
struct subject {
    struct instance *instance;
    struct vec
        intents;      /* struct intent: running, queued, and the one that `running` names even if it failed */
    struct vec steps; /* struct step of the generation that `running` names */
    struct vec past;  /* struct step of walks that ended in this decision: still to be written */
    struct vec documents; /* struct document of the instance */
    struct vec works;     /* struct work that its steps wait for */
    struct name *name;    /* NULL without one */
    const struct release *release;
    const struct plane *plane;
    const struct node *host, *edge, *prober; /* NULL before placement */
};

/* Settings that decisions depend on. */
struct settings {
    const char *base;    /* repository@sha256:... that images are built from */
    int64_t dns_ttl_s;   /* of every address; a delete waits this long */
    int64_t name_hold_s; /* how long the marker of a deleted name stays (protocol section 9) */
};

struct decision {
    struct arena *arena;
    const struct settings *settings;
    int64_t now, epoch;
    uint64_t random; /* for jitter */
    struct uuid seed;
    unsigned ids;      /* drawn from the seed so far */
    struct vec events; /* struct event_row */
    struct vec orders; /* struct order_out */
    struct vec timers; /* struct timer */
    bool works_due;    /* a TIMER_WORK or TIMER_PLACE was written for now */
};

/* An order to be sent: the engine groups those of one topic and partition into one signed envelope. */
struct order_out {
    enum step_kind kind;
    struct uuid id;
    const char *partition_key; /* equal keys stay in order; NULL: any partition */
    const char *plane_mode;
    struct bytes order; /* a packed fairlead.v1.Order */
    int64_t not_after;
};

enum decide_kind {
    DECIDE_INTENT,   /* a request or the clock asks for something */
    DECIDE_ORDER,    /* a node reports on an order */
    DECIDE_DOCUMENT, /* a node reports on a document */
    DECIDE_WAKE,     /* time passed, or work that it waits for is settled */
    DECIDE_PLACED,   /* place() found room */
    DECIDE_NO_ROOM,
};

struct problem {
    const char *cls, *text, *lines;
};

struct decide_event {
    enum decide_kind kind;
    /* DECIDE_INTENT */
    enum intent_kind intent;
    struct uuid request_id;
    const char *params, *trace;
    /* DECIDE_ORDER */
    struct uuid order_id;
    int64_t attempt;
    enum result result; /* also of a failing document */
    struct problem problem;
    const char *facts; /* JSON, or NULL */
    /* DECIDE_DOCUMENT */
    struct uuid node_id;
    int document_kind;
    int64_t epoch, revision;
    const char *condition;
    struct uuid stream;
    int64_t report_n;
    /* DECIDE_PLACED */
    const struct node *host, *edge, *prober; /* prober NULL: the plane has none, nobody watches */
    int64_t port;
    /* DECIDE_NO_ROOM */
    const char *reason;
};

/* Why something that was asked is refused: an HTTP status, a stable code, a sentence for a person. */
struct refusal {
    int status;
    const char *code;
    const char *sentence;
};

/* False: refused, nothing changed, *refusal says why (only for DECIDE_INTENT). */
bool decide(struct subject *subject, const struct decide_event *event, struct decision *decision,
            struct refusal *refusal);

/* Of a report about a document: was something later heard before? Streams of a node rise (node/reporter.h),
 * and so do numbers within one: what comes of an earlier one is late, or was replayed. */
bool decide_is_late(const struct document *document, const struct decide_event *event);

/* ---- for the files of this module ---- */

/* Has its time ended? One without an end never does. */
static inline bool instance_is_over(const struct instance *instance, int64_t now) {
    return instance->expires_at && instance->expires_at <= now;
}

struct uuid decision_id(struct decision *decision);
/* One event of the instance: the next of its sequence. `data` is a JSON object or NULL. */
void decision_event(struct subject *subject, struct decision *decision, enum event_kind kind, json_t *data);
void decision_timer(struct decision *decision, enum timer_kind kind, const char *subject, int64_t due_at);

struct intent *subject_intent(const struct subject *subject, int64_t generation);
struct document *subject_document(const struct subject *subject, int kind);

/* Opens a step whose prerequisites are done, or sends it again. May settle it at once. */
void step_open(struct subject *subject, struct decision *decision, struct step *step);
/* A result for an open step. */
void step_settle(struct subject *subject, struct decision *decision, struct step *step, enum result result,
                 const struct problem *problem, const char *facts);
/* A walk that had parked runs again: it is not failed any more. */
void walk_goes_on(struct subject *subject, struct decision *decision, const struct intent *intent);
/* Goes as far as possible: opens what may begin, ends walks, starts what waits. */
void walk_advance(struct subject *subject, struct decision *decision);

/* health.c: what is known of a running instance, apart from its state; an event when that changed. `reason`
 * is what the report at hand says, or NULL. */
void health_refresh(struct subject *subject, struct decision *decision, const char *reason);
/* Why a report says what it says: a link that is cut is told apart from an app that is dead. */
const char *health_reason(const struct subject *subject, const struct decide_event *report);
/* A report of a watch, after which the name may have to be written again. */
bool health_wants_repair(const struct subject *subject, const struct decide_event *report);

/* Messages (message.c). Content and orders are built from the subject alone. */
struct bytes message_stack(const struct subject *subject, struct decision *decision, enum want want);
struct bytes message_route(const struct subject *subject, struct decision *decision, enum want want);
struct bytes message_watch(const struct subject *subject, struct decision *decision, enum want want);
struct bytes message_order(const struct subject *subject, struct decision *decision, const struct step *step,
                           enum want want);
const char *message_stack_identity(const struct document *stack, struct arena *arena);
/* JSON parameters of the work that a RESOLVE or BUILD step waits for, and its key. */
const char *message_work_key(const struct subject *subject, struct decision *decision,
                             const struct step *step);
const char *message_work_params(const struct subject *subject, struct decision *decision,
                                const struct step *step);
struct bytes message_work_order(const struct work *work, struct decision *decision);

#endif
