/* The simulator: the real batches of the engine, decide(), decide_work_*() and place() over rows, outbox,
 * topics, nodes, DNS and a clock, all in one process and all from one seed. What happens next, what is lost,
 * repeated or late, is drawn from the seed; after every event the invariants of check.c must hold, and when
 * the faults stop all work must end. */
#ifndef FAIRLEAD_TESTS_SIM_WORLD_H
#define FAIRLEAD_TESTS_SIM_WORLD_H

#include "coordinator/engine.h"
#include "model/place.h"

#define INSTANCES_MAX 14
#define UNDER_FAULTS 8 /* of them; the rest are asked for when the faults have stopped */
#define NODES 4
#define NAMES 5
#define TASKS_MAX 4000

/* A record on its way, in any topic. */
struct record {
    bool is_document;
    int node;           /* document: whose topic */
    int instance, kind; /* document */
    int64_t revision;
    bool absent, running;
    uint64_t task; /* of a task: which, and until when it may begin */
    int64_t until;
    struct uuid order_id; /* order */
    enum step_kind step;
    int64_t attempt, not_after;
    char subject[96];
    int name; /* dns: index of the host */
    struct uuid owner;
    int64_t serial;
    bool dns_absent;
    char replaces[128];
};

struct outbox_item {
    struct record
        record; /* of a document only node, instance and kind count: the relay sends the current row */
};

struct sim_report {
    bool is_document;
    struct decide_event event;
    int instance;
    char work_key[96];
};

/* What a node holds of one document: ratchet, and what it has done to the machine. */
struct held {
    int64_t revision;     /* ratchet */
    bool absent, running; /* wanted */
    bool applied;         /* the machine is so */
    bool live;            /* a stack runs, or a route serves */
    uint64_t task, begun; /* of a task: which is wanted, which was marked as begun */
    int64_t until;
    bool ended; /* what was begun was ended, too */
};

struct sim_node {
    struct node row;
    struct held held[INSTANCES_MAX][DOCUMENT_KIND_COUNT];
    struct vec topic; /* struct record: compacted or not, read from the start */
    size_t read;      /* how far */
    struct uuid stream;
    int64_t report_n;
    int64_t highest[INSTANCES_MAX][DOCUMENT_KIND_COUNT]; /* ever accepted, for the invariant */
    int64_t floor[INSTANCES_MAX][DOCUMENT_KIND_COUNT]; /* of the list that a node without a disk waited for */
    int away;                                          /* for so many events more; 0: there is a link */
    int64_t back_at;                                   /* ... and that long at least */
    struct vec spool;                                  /* struct sim_report: what it would say */
    bool withheld;    /* whoever owns the broker gives it nothing new, no heartbeat either */
    int64_t heard_at; /* the last heartbeat */
};

struct dns_name {
    bool has_address;
    int64_t off_at; /* since when it has none, by order */
    char marker[128];
};

struct sim_instance {
    struct instance row;
    struct vec intents, steps, sets, documents;
    int name;  /* index into names */
    bool noop; /* of the release without name, image and stack */
    bool acknowledged;
};

struct sim_name {
    struct name row;
    bool claimed;
};

/* The two engines of a coordinator. */
enum { BY_REQUEST, BY_REPORT /* ... and by the clock */, ENGINES };

/* What a request was told. */
struct told {
    struct uuid seed;
    const char *key; /* NULL: none */
    int status;
};

struct world {
    struct arena arena;
    uint64_t rnd;
    int64_t now;
    bool faults;
    bool calm; /* what the faults had stirred up has settled: now the order of things can be judged */
    struct settings settings;
    struct release *release, *noop;
    struct plane plane;
    struct sim_instance instances[INSTANCES_MAX];
    int instances_n;
    struct sim_name names[NAMES];
    struct dns_name dns[NAMES];
    struct vec works;           /* struct work */
    struct vec timers;          /* struct timer */
    struct vec queues[ENGINES]; /* struct input * */
    struct vec told;            /* struct told: what is on record */
    struct vec outbox;          /* struct outbox_item */
    struct vec orders;          /* struct record: the topics of orders */
    struct vec reports;         /* struct sim_report */
    struct sim_node nodes[NODES];
    struct vec built;            /* const char *: build keys that the registry has */
    int builds;                  /* acts of building */
    unsigned tasks;              /* written so far */
    uint8_t runs[TASKS_MAX + 1]; /* of each, on a disk that is still there */
    unsigned seeds;
    char history[400000];
    size_t history_n;
    const char *broken; /* first invariant that did not hold */
};

void world_init(struct world *w, uint64_t seed);
void world_release(struct world *w);
/* One random event. */
void world_step(struct world *w);
/* Without faults, until nothing is left to do; false: it never ends. */
bool world_drain(struct world *w);

uint64_t world_random(struct world *w, uint64_t below);
void world_note(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void world_break(struct world *w, const char *what);

/* batch.c: the engines. An input is copied; its texts are the world's. */
void world_submit(struct world *w, int engine, const struct input *input);
/* One batch of what waits. */
void world_engine(struct world *w, int engine);

/* store.c: the rows. */
void world_load(struct world *w, int index, struct subject *subject);
void world_store(struct world *w, struct subject *subject);
struct work *world_work(struct world *w, const char *key);
/* What the engine does alone with one subject: a create, whose context only a database has, and placing. */
typedef bool world_decider(struct world *w, struct subject *subject, struct decision *decision, void *arg);
bool world_transact(struct world *w, int instance, world_decider *decider, void *arg);
/* -1: none has this id. */
int world_instance_of(const struct world *w, const char *hex);
struct uuid world_seed(struct world *w);
/* After the rows: timers, orders, events. */
void world_take_decision(struct world *w, const struct decision *decision);
void world_set_timer(struct world *w, const struct timer *timer);

/* sources.c: requests, the clock, reports. */
void world_request(struct world *w);
/* Whoever finds an app failed asks for it again. */
void world_retry_all(struct world *w);
void world_clock(struct world *w);
void world_ingest(struct world *w, size_t which);
/* A node falls silent ("unknown") or is heard again ("ok"). */
void world_hear(struct world *w, int node, const char *health);
/* A node has another address: what names it is told anew. */
void world_move(struct world *w, int node);

/* machine.c: relay, nodes, DNS. */
void world_relay(struct world *w);
void world_node(struct world *w, int node);
void world_order(struct world *w, size_t which);
void world_fault(struct world *w);
void world_inventory(struct world *w, int node);
/* A stranger changes what only a watch sees. */
void world_drift(struct world *w);
/* A period of every watch has passed. */
void world_watch_again(struct world *w);

/* A tombstone stands for it by now. */
bool world_is_tombstone(const struct world *w, int node, const struct record *record);

/* link.c: what is between a node and the rest. */
bool link_is_up(const struct sim_node *node);
bool link_is_in_doubt(const struct world *w, const struct sim_node *node);
void link_hear(struct world *w, int node);
/* To the coordinator, or into the spool. */
void link_say(struct world *w, int node, const struct sim_report *report);
void link_cut(struct world *w, int node);
void link_mend(struct world *w, int node);
void link_lie(struct world *w, int node);
/* An event has passed: who was away long enough is back. */
void link_pass(struct world *w);
void link_mend_all(struct world *w);

/* once.c: tasks and certificates. */
void world_write_once(struct world *w);
void world_read_task(const struct document *document, struct record *record);
enum result_class world_do_task(struct world *w, struct held *held);
void world_check_once(struct world *w, const struct sim_instance *in);

/* check.c */
void world_check(struct world *w);
/* What a decision sends is whole. */
void world_check_document(struct world *w, const struct document *document);
void world_check_order(struct world *w, const struct sim_instance *in, const struct order_out *order);
void world_check_work(struct world *w, const struct work *work);
/* A node has just made the machine so: nothing comes before what it stands on, or goes before what leads to
 * it. */
void world_check_act(struct world *w, int instance, int kind, const struct held *held);
void world_check_end(struct world *w);

#endif
