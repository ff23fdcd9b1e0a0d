/* Between the files of the engine: one input inside one batch, and what each file does with it. */
#ifndef FAIRLEAD_COORDINATOR_ENGINE_OWN_H
#define FAIRLEAD_COORDINATOR_ENGINE_OWN_H

#include "coordinator/engine.h"

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
    struct bytes before, after; /* hashes of what an accepted request changed, for the audit */
    struct uuid customer_id;    /* whose that is */
    bool replayed;              /* answered from the table: nothing is stored */
    bool own;                   /* ... by its own row: an earlier run of this very input was committed */
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
    bool claimed_sent, names_sent, timers_sent, works_sent;
    int found_sent; /* looks for what was answered before */
};

/* transaction.c: the batch once, from BEGIN to COMMIT. After -1 a transaction may be open, the connection may
 * be unusable, and what was committed is not known. */
MUST_CHECK int engine_transact(struct engine_batch *batch, bool skip_locked, struct err *err);
/* Each input gets its subject; what another transaction holds, or has had its turn in this batch, is skipped.
 */
void engine_join(struct engine_batch *batch);

/* requests.c: claims, contexts of creates, decisions and answers of requests. */
MUST_CHECK int requests_prepare(struct engine_batch *batch,
                                struct err *err); /* before BEGIN: names to rows */
MUST_CHECK int requests_send(struct engine_batch *batch, struct err *err);
MUST_CHECK int requests_read(struct engine_batch *batch, struct err *err);
void requests_decide(struct engine_batch *batch);
MUST_CHECK int requests_store(struct engine_batch *batch, struct err *err);

/* answers.c: what becomes of a request. Bodies are the answer's from here on. */
void request_answer(struct batch_input *in, int status, char *body, int64_t etag, const char *location);
void request_refuse(struct batch_input *in, int status, const char *code, const char *sentence);
void request_accept(struct engine_batch *batch, struct batch_input *in, const struct instance *instance);
/* The hash of an instance as it is, for the audit: "ID GENERATION STATE". */
struct bytes request_hash(struct engine_batch *batch, const struct instance *instance);

/* creates.c: the part of creates in each of these. */
struct uuid create_identity(const struct input *input); /* of the instance that it would make */
MUST_CHECK int creates_prepare(struct engine_batch *batch, struct err *err);
MUST_CHECK int creates_send(struct engine_batch *batch, struct err *err);
MUST_CHECK int creates_read(struct engine_batch *batch, struct err *err);
void creates_decide(struct engine_batch *batch);

/* create_names.c: their host names. */
/* Before BEGIN; nothing where the app needs no name. */
void create_plans_name(struct engine_batch *batch, struct batch_input *in);
MUST_CHECK int create_names_send(struct engine_batch *batch, struct err *err);
MUST_CHECK int create_names_read(struct engine_batch *batch, struct err *err);
/* Takes over a name that is free by now, or refuses. False: it was forgotten between the two looks, once
 * more. */
bool create_claims_name(struct engine_batch *batch, struct batch_input *in, struct uuid tenant_id);
MUST_CHECK int create_names_store(struct engine_batch *batch,
                                  struct err *err); /* gives back those of refused ones */

/* reports.c: the same for reports and due rows. */
MUST_CHECK int reports_send(struct engine_batch *batch, struct err *err);
MUST_CHECK int reports_read(struct engine_batch *batch, struct err *err);
void reports_decide(struct engine_batch *batch);
MUST_CHECK int reports_store(struct engine_batch *batch, struct err *err);

/* placing.c: a due row of a plane, a transaction of its own. */
MUST_CHECK int placing_run(struct batch *batch, const struct input *input, struct err *err);

#endif
