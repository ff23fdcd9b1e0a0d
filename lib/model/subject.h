/* What a decision about one instance may look at (subject), and what follows from it (decision). Everything
 * else of this folder's decisions stands on this: message, health, step, walk, decide. */
#ifndef FAIRLEAD_MODEL_SUBJECT_H
#define FAIRLEAD_MODEL_SUBJECT_H

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
    struct vec sets;  /* struct set of the instance */
    struct vec documents; /* struct document of the instance */
    struct vec works;     /* struct work that its steps wait for */
    struct name *name;    /* NULL without one */
    const struct release *release;
    const struct plane *plane;
    const struct node *edge, *prober; /* NULL before placement */
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

struct problem {
    const char *cls, *text, *lines;
};

/* A report of a node about a document, as far as decisions look at it. */
struct document_report {
    struct uuid node_id;
    int kind;
    const char *letter;
    int64_t epoch, revision;
    const char *condition;
    enum result_class result; /* of a failing one */
    struct problem problem;
    const char *facts; /* JSON, or NULL */
    struct uuid stream;
    int64_t n;
};

/* Has its time ended? One without an end never does. */
static inline bool instance_is_over(const struct instance *instance, int64_t now) {
    return instance->expires_at && instance->expires_at <= now;
}

struct uuid decision_id(struct decision *decision);
/* One event of the instance: the next of its sequence. `data` is a JSON object or NULL. */
void decision_event(struct subject *subject, struct decision *decision, enum event_kind kind, json_t *data);
void decision_timer(struct decision *decision, enum timer_kind kind, const char *subject, int64_t due_at);

/* In a customer's own network: who serves it there also proves it, and shows its secrets. */
bool subject_is_private(const struct subject *subject);
/* Its plane is told and heard by files: what a node says comes with the next one, in days perhaps. */
bool subject_is_by_file(const struct subject *subject);
struct intent *subject_intent(const struct subject *subject, int64_t generation);
/* The one whose walk runs, or ran last; NULL: none has begun. */
struct intent *subject_running(const struct subject *subject);
struct document *subject_document(const struct subject *subject, int kind, const char *letter);
struct set *subject_set(const struct subject *subject, const char *letter);
/* The set that the names of the instance lead to; NULL: it has none. */
struct set *subject_serving(const struct subject *subject);
/* The letter of the set that an act of its kind is about; the first for what is the instance's own. */
const char *subject_letter(const struct subject *subject, enum act_of of);
/* The act of a step of the running walk. */
const struct act_row *subject_act(const struct subject *subject, const struct step *step);
/* The document that carries a step, and what it wants; DOCUMENT_KIND_COUNT: none does. In a private plane
 * nobody of ours can fetch an app: what proves it is the first report of its watch. */
enum document_kind subject_carrier(const struct subject *subject, const struct step *step);
enum want subject_want(const struct subject *subject, const struct step *step);

/* A set was changed: it is written, and what the instance's row tells of the set that serves with it. */
void subject_set_changed(struct subject *subject, struct set *set);

#endif
