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
#include "coordinator/store/audit.h"
#include "coordinator/store/batch.h"
#include "model/principal.h"

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
    const char *requires, *prefers;                             /* labels; NULL: none */
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
    const struct audit_row *audit; /* what it leaves there once it is accepted; NULL: nothing */
    struct reach reach;            /* of who asks: there is nothing else for it */
    const char *who, *key;         /* owner of the Idempotency-Key; key may be NULL */
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
    struct signing *signing;
    const atomic_uint *owned_lanes;
    bool skip_locked; /* ingest and clock put back what others hold */
    void (*wake_relay)(void *arg, unsigned lanes);
    void (*wake_clock)(void *arg);
    void (*changed)(void *arg); /* something was committed: event streams may look */
    void *arg;
};

/* What an engine is at just now. */
struct engine_state {
    const char *name;
    size_t waiting, running; /* inputs in its queue; in the batch that runs, 0: none does */
    int64_t running_us;      /* since that began, its repeats included */
    int64_t batches, inputs; /* ended, since it started */
};

struct engine *engine_start(const struct engine_conf *conf, struct err *err);
/* Refuses new inputs, finishes those it has, ends. NULL is fine. */
void engine_stop(struct engine *engine);
struct engine_state engine_look(struct engine *engine);

/* Hands an input over; never blocks. False: too many are waiting (answer 503 with Retry-After). */
MUST_CHECK bool engine_submit(struct engine *engine, struct input *input);
/* The same for any number, some at a time, and waits until all are done. Returns how many failed to be
 * stored, err says why the last of them did; what comes after them was not tried. What will never be stored
 * does not fail: it is `refused`. */
size_t engine_run_all(struct engine *engine, struct input **inputs, size_t n, struct err *err);

#endif
