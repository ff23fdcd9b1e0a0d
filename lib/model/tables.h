/* The three small tables that the whole life of an instance hangs on: what may be asked in which state, which
 * acts a walk is made of, and what a step's result means; beside them the steps themselves and the legal
 * transitions. They are data: SQL, docs/STATES.md and a golden file are printed from them
 * (fairlead-coordinator tables).
 *
 * To add a state, intent, step or walk: a row in tables.def, then `make golden` and read the diff. */
#ifndef FAIRLEAD_MODEL_TABLES_H
#define FAIRLEAD_MODEL_TABLES_H

#include <stdbool.h>
#include <stdint.h>

enum state {
#define STATE(id, name, what) STATE_##id,
#include "model/tables.def"
    STATE_COUNT
};

enum intent_kind {
#define INTENT(id, name, event, what) INTENT_##id,
#include "model/tables.def"
    INTENT_COUNT
};

enum walk {
#define WALK(id, name, from, end, event, what) WALK_##id,
#include "model/tables.def"
    WALK_COUNT
};

enum step_kind {
#define STEP(id, name, carrier, deadline_s, attempts, backoff_s, what) STEP_##id,
#include "model/tables.def"
    STEP_COUNT
};

/* What a node does, as bits. */
enum role_index {
#define ROLE(id, name, what) ROLE_INDEX_##id,
#include "model/tables.def"
    ROLE_COUNT
};
enum role {
    ROLE_ANY = 0, /* of an order: every node may */
#define ROLE(id, name, what) ROLE_##id = 1 << ROLE_INDEX_##id,
#include "model/tables.def"
};

enum document_kind {
#define DOCUMENT(id, name, step, of, role, what) DOCUMENT_##id,
#include "model/tables.def"
    DOCUMENT_KIND_COUNT
};

enum event_kind {
#define EVENT(id, type, data) EVENT_##id,
#include "model/tables.def"
    EVENT_COUNT
};

/* How a step reaches a machine. */
enum carrier {
    CARRIER_ENGINE, /* nothing leaves the coordinator */
    CARRIER_ORDER,  /* an order of the instance's own */
    CARRIER_WORK,   /* an order that belongs to a key and serves all that wait for it */
    CARRIER_DOCUMENT,
};

/* What a release needs; a step whose need it has not is left out, and counts as done. */
enum need { NEED_NOOP = 1, NEED_IMAGE = 2, NEED_STACK = 4, NEED_NAME = 8 };

/* What an act wants of its thing. */
enum want { WANT_NOTHING, WANT_ON, WANT_OFF, WANT_ENDED, WANT_ABSENT };

/* Of what an act is: of the instance as such (its name, its route), or of the set that serves. */
enum act_of { OF_INSTANCE, OF_SERVING };

#define SET_FIRST "a" /* the letter of the first set: what a key without one means */

struct name_row {
    const char *name, *what;
};
extern const struct name_row state_rows[STATE_COUNT];

struct intent_row {
    const char *name;      /* as in the API: POST /v1/instances/ID/NAME */
    enum event_kind event; /* when it is accepted */
    const char *what;
};
extern const struct intent_row intent_rows[INTENT_COUNT];

struct walk_name_row {
    const char *name;
    enum state
        from;       /* what it is when the walk goes on after it parked; STATE_COUNT: failed, until it ends */
    enum state end; /* state when every step is done; STATE_COUNT: stays */
    enum event_kind event; /* then */
    const char *what;
};
extern const struct walk_name_row walk_rows[WALK_COUNT];

struct step_row {
    const char *name;
    enum carrier carrier;
    int deadline_s; /* silence after which the step is sent again */
    int attempts;   /* budget of tries; then the walk parks */
    int backoff_s;  /* first delay after a failure that may pass */
    const char *what;
};
extern const struct step_row step_rows[STEP_COUNT];

extern const char role_words[]; /* their names, a space before each: `+ 1` is a list of base/conf.h */
extern const struct name_row role_rows[ROLE_COUNT]; /* in the order of their bits */
/* Bits of a list of their names, with commas; what is none of them counts for nothing. */
unsigned role_bits(const char *list);
/* The name of one role; "any" for ROLE_ANY. */
const char *role_name(unsigned role);

/* A step that an order carries. */
struct order_row {
    enum step_kind step;
    unsigned role;
    const char *topic;
    int partitions;
    const char *what;
};
extern const struct order_row order_rows[];
extern const int order_rows_n;
const struct order_row *order_find(enum step_kind step); /* NULL: no order does */
#define ORDER_GROUP_SIZE 64
/* Whose members read them: the group of its topic. */
char *order_group(const struct order_row *row, char out[ORDER_GROUP_SIZE]);

/* A step that a document carries; `name` is its kind in documents and reports. */
struct document_row {
    const char *name;
    enum step_kind step;
    enum act_of of;
    unsigned role;
    const char *what;
};
extern const struct document_row document_rows[DOCUMENT_KIND_COUNT];
/* The kind of document that carries a step; DOCUMENT_KIND_COUNT: none does. */
enum document_kind document_kind_of_step(enum step_kind step);

struct event_type_row {
    const char *type, *data; /* data: its fields, in Markdown */
};
extern const struct event_type_row event_rows[EVENT_COUNT];

/* State x intent. A cell that is not listed refuses. */
struct cell_row {
    enum state state;
    enum intent_kind intent;
    enum walk walk;
    const char *what;
};
extern const struct cell_row cell_rows[];
extern const int cell_rows_n;
const struct cell_row *cell_find(enum state state, enum intent_kind intent);

/* An act of a walk. Its name is the key of its row among those of one walk. */
struct act_row {
    enum walk walk;
    const char *name;
    enum step_kind step;
    enum act_of of;
    enum want want;
    const char *after; /* names of the acts that must be done before, a space between */
    unsigned needs;
    const char *what;
};
extern const struct act_row act_rows[];
extern const int act_rows_n;
const struct act_row *act_find(enum walk walk, const char *name); /* NULL: the walk has none of this name */
/* Must the act of this name be done before? */
bool act_is_after(const struct act_row *row, const char *name);

/* A step's result and what follows. Success is looked at first, then the budget, then the class. */
enum result_class { RESULT_IS_OK, RESULT_IS_RETRY, RESULT_IS_PARK };
enum step_outcome { OUTCOME_DONE, OUTCOME_AGAIN, OUTCOME_PARK };
enum step_outcome result_outcome(enum result_class result, bool budget_left);

#define STATE_FIRST STATE_NEW /* in which an instance begins */

/* Which state may follow which: the trigger of the instances table holds the same rows. */
struct transition_row {
    enum state from, to;
};
extern const struct transition_row transition_rows[];
extern const int transition_rows_n;
bool transition_legal(enum state from, enum state to);

/* The code of a stack's report that is no failure: its image is on its way, and has come nearer. */
#define PROBLEM_FETCHING "image_fetching"

#endif
