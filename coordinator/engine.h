/* The engine: the one place where state changes. Sources (api, ingest, clock) hand it inputs; it takes what
 * has come meanwhile as one batch and does the same five things: claim, lock, load; decide; store; commit;
 * answer.
 *
 * A batch never fails as a whole for one input: a statement that refuses one row halves the batch until the
 * bad input stands alone; an unknown COMMIT is the same batch with the same identities again (protocol
 * section 2). There are two engines in a coordinator, each with a thread and a connection: one for the API,
 * one for ingest and clock, so that neither waits behind the other. */
#ifndef FAIRLEAD_COORDINATOR_ENGINE_H
#define FAIRLEAD_COORDINATOR_ENGINE_H

#include "base/hash.h"
#include "coordinator/store/batch.h"

enum input_kind {
    INPUT_CREATE,   /* a request for a new instance */
    INPUT_INTENT,   /* a request about an instance */
    INPUT_ORDER,    /* a report about an order of an instance */
    INPUT_WORK,     /* a report about an order of a work */
    INPUT_DOCUMENT, /* a report about a document */
    INPUT_TIMER,    /* a due row of `timers` */
    INPUT_DUE,      /* steps of an instance whose next_at has passed */
};

/* What a request is answered with. `body` is JSON, malloc'd; the input's owner frees it. */
struct answer {
    int status;
    char *body;
    int64_t etag;
    char *location;
};

struct create_args {
    const char *app, *version;                                  /* version NULL: what the app offers */
    const char *customer, *tenant, *plane, *size, *name, *host; /* host NULL: the default label */
    json_t *inputs;
    int64_t trial_days; /* -1: the plan's */
};

/* A secret as a node sealed it: to the coordinator's key (delivered) or to the plane's recovery key. */
struct sealed {
    const char *name;
    struct bytes box;
};

/* One input. Texts belong to whoever made it and stay until `done` was called, on the engine's thread. */
struct input {
    enum input_kind kind;
    const char *refused; /* report: why it does not count; whoever made the input keeps the record */
    struct uuid
        seed; /* made once with the input: identities are derived from it, also when it is run again */
    int64_t deadline; /* monotonic; an API input that was not begun by then is answered 503 */
    void (*done)(struct input *input, const struct err *err); /* err: it could not be stored */
    void *owner;

    /* requests: id is the seed */
    const char *who, *key; /* owner of the Idempotency-Key; key may be NULL */
    struct hash fingerprint;
    const char *trace;
    struct create_args create;
    struct answer answer;

    /* about an instance */
    struct uuid instance_id;
    int64_t if_match; /* 0: any */
    bool purge;
    struct decide_event event;

    struct uuid node_id;            /* that reports */
    struct vec delivered, recovery; /* struct sealed, of a document report */
    unsigned roles;                 /* of the node that reports, bits of enum role */
    struct bytes record;            /* of Kafka, that it came in */

    /* about a work, or a timer */
    const char *work_key;
    int timer_kind;
    const char *timer_subject;

    /* the engine's own */
    struct input *next;
    bool begun, tried; /* tried: an earlier run of it may have been committed */
};

struct engine_conf {
    const char *name;
    const char *database_url;
    struct settings settings;
    const struct sign_keys *keys;
    const atomic_uint *owned_lanes;
    bool skip_locked; /* ingest and clock put back what others hold */
    void (*wake_relay)(void *arg, unsigned lanes);
    void (*wake_clock)(void *arg);
    void (*changed)(void *arg); /* something was committed: event streams may look */
    void *arg;
};

struct engine *engine_start(const struct engine_conf *conf, struct err *err);
/* Refuses new inputs, finishes those it has, ends. NULL is fine. */
void engine_stop(struct engine *engine);

/* Hands an input over; never blocks. False: too many are waiting (answer 503 with Retry-After). */
MUST_CHECK bool engine_submit(struct engine *engine, struct input *input);
/* The same for any number, some at a time, and waits until all are done. Returns how many failed to be
 * stored, err says why the last of them did; what comes after them was not tried. What will never be stored
 * does not fail: it is `refused`. */
size_t engine_run_all(struct engine *engine, struct input **inputs, size_t n, struct err *err);

/* ---- between the files of the engine ---- */

/* One input inside one batch. */
struct batch_input {
    struct input *input;
    bool skip; /* not this time: locked elsewhere, or its instance has had its turn */
    bool answered;
    struct subject *subject;
    const struct release *release; /* create */
    bool withdrawn;                /* ... which is offered no more */
    const struct plane *plane;
    struct name *name; /* create: the host name that it claims, NULL for none */
    bool name_claimed;
    bool replayed; /* answered from the table: nothing is stored */
    bool own;      /* ... by its own row: an earlier run of this very input was committed */
    struct work *work;
    int64_t waiting_since;
    bool claimed;           /* timer: it was due and is ours */
    struct input *same_key; /* an earlier input of the batch with the same Idempotency-Key */
};

struct engine_batch {
    struct batch base;
    struct batch_input *inputs;
    size_t n;
    struct vec delivered, recovery; /* struct sealed_row * */
    struct vec creates;             /* struct batch_input *, in the order of their contexts */
    PGresult *contexts;
    struct vec held, gone; /* struct name by host that was claimed; bool: its instance is gone */
    bool found_sent, claimed_sent, names_sent, timers_sent, works_sent;
};

/* transaction.c: the batch once, from BEGIN to COMMIT. After -1 a transaction may be open, the connection may
 * be unusable, and what was committed is not known. */
MUST_CHECK int engine_transact(struct engine_batch *batch, bool skip_locked, struct err *err);

/* requests.c: claims, contexts of creates, decisions and answers of requests. */
MUST_CHECK int requests_prepare(struct engine_batch *batch,
                                struct err *err); /* before BEGIN: names to rows */
MUST_CHECK int requests_send(struct engine_batch *batch, struct err *err);
MUST_CHECK int requests_read(struct engine_batch *batch, struct err *err);
void requests_decide(struct engine_batch *batch);
MUST_CHECK int requests_store(struct engine_batch *batch, struct err *err);

void request_refuse(struct batch_input *in, int status, const char *code, const char *sentence);
void request_accept(struct batch_input *in, const struct instance *instance);

/* creates.c: the part of creates in each of these. */
MUST_CHECK int creates_prepare(struct engine_batch *batch, struct err *err);
MUST_CHECK int creates_send(struct engine_batch *batch, struct err *err);
MUST_CHECK int creates_read(struct engine_batch *batch, struct err *err);
void creates_decide(struct engine_batch *batch);
MUST_CHECK int creates_store(struct engine_batch *batch,
                             struct err *err); /* gives back names of refused ones */

/* reports.c: the same for reports and due rows. */
MUST_CHECK int reports_send(struct engine_batch *batch, struct err *err);
MUST_CHECK int reports_read(struct engine_batch *batch, struct err *err);
void reports_decide(struct engine_batch *batch);
MUST_CHECK int reports_store(struct engine_batch *batch, struct err *err);

/* placing.c: a due row of a plane, a transaction of its own. */
MUST_CHECK int placing_run(struct batch *batch, const struct input *input, struct err *err);

#endif
