/* decide(subject, event, decision): what follows for one instance from one event. Pure: no I/O, no clock, no
 * identity of its own. Everything that it may look at is in the subject; the time, the epoch and a seed are
 * in the decision; what follows is the changed rows of the subject plus events, orders and timers. Whoever
 * calls (the engine, a test, the simulator) stores all of that in one transaction or none of it. */
#ifndef FAIRLEAD_MODEL_DECIDE_H
#define FAIRLEAD_MODEL_DECIDE_H

#include "model/subject.h"

enum decide_kind {
    DECIDE_INTENT,   /* a request or the clock asks for something */
    DECIDE_ORDER,    /* a node reports on an order */
    DECIDE_DOCUMENT, /* a node reports on a document */
    DECIDE_WAKE,     /* time passed, or work that it waits for is settled */
    DECIDE_PLACED,   /* place() found room */
    DECIDE_NO_ROOM,
    DECIDE_REFRESH, /* something that documents are made of has changed */
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
    enum result_class result;
    struct problem problem;
    const char *facts; /* JSON, or NULL */
    /* DECIDE_DOCUMENT */
    struct document_report document;
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
bool decide_is_late(const struct document *document, const struct document_report *report);

#endif
