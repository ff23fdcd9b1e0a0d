/* The HTTP API: what a handler needs, and how it answers. One file per resource; routes.c has the table. */
#ifndef FAIRLEAD_COORDINATOR_API_H
#define FAIRLEAD_COORDINATOR_API_H

#include "base/json.h"
#include "coordinator/desk.h"
#include "coordinator/engine.h"
#include "coordinator/follow.h"
#include "coordinator/presence.h"
#include "io/broker.h"
#include "io/httpd.h"
#include "model/routes.h"

struct api {
    const char *token_hash_hex; /* of the bearer token */
    struct broker broker;
    const char *public_address, *redis, *base;
    const struct sign_keys *keys;
    struct engine *engine, *other_engine; /* of requests; of what is not asked here, NULL: none runs here */
    struct desk *desk, *checks; /* checks: looks that take long, so that they hold up nobody's reads */
    struct follow *follow;
    struct presence *presence;      /* of the desk; see nodes.c */
    void (*wake_topics)(void *arg); /* a node enrolled: its topic is wanted */
    void (*wake_clock)(void *arg);
    void *arg;
};

/* What a route matched. */
struct api_call {
    struct api *api;
    struct httpd_request *request;
    const struct route_row *route;
    const char *rest; /* what stands in the path for the names in braces: a key, or "" */
    const void *data; /* of the handler */
};

/* Who answers a route, in the order of route_rows (model/routes.h). */
struct api_handler {
    void (*handle)(struct api_call *call);
    const void *data;
};
extern const struct api_handler api_handlers[ROUTE_COUNT];

/* The callbacks of the server (io/httpd.h): who may go on, before a body is read; and what follows. */
char *api_early_refusal(int status, const char *code, const char *sentence);
bool api_admit(void *api, struct httpd_request *request, bool *ret_known, struct httpd_refusal *ret_refusal);
void api_handle(void *api, struct httpd_request *request);

/* ---- answers ---- */

/* Takes `body` (malloc'd JSON text). */
void api_answer(struct httpd_request *request, int status, char *body);
void api_answer_with(struct httpd_request *request, int status, char *body, int64_t etag,
                     const char *location);
void api_refuse(struct httpd_request *request, int status, const char *code, const char *sentence);
/* By its class and code: nothing was done and why, ask again (503); or a failure of our own (500). */
void api_refuse_error(struct httpd_request *request, const struct err *err);
/* The body as JSON that fits the route's table; NULL: refused already. */
json_t *api_body(struct api_call *call);

/* ---- requests that are worked on elsewhere: one allocation, in the request's arena ---- */

/* A job at the desk for this call. `work` answers; without a connection the caller is told to come again. */
void api_at_desk(const struct api_call *call, void (*work)(struct api_call *call, struct pg *pg));
void api_at_checks(const struct api_call *call, void (*work)(struct api_call *call, struct pg *pg));

/* What a POST that is done once has done. */
struct api_done {
    int status;
    const char *body,
        *location; /* in the request's arena; NULL: none. They are remembered, so no secret is in them */
};

/* A refusal, as a problem document in the request's arena. */
void api_done_refusal(struct api_call *call, struct api_done *ret, int status, const char *code,
                      const char *sentence);

/* A POST that writes outside the engine. The same Idempotency-Key gives the same answer, and nothing is done
 * twice. */
struct api_once {
    const char *kind;  /* as requests are listed by */
    const char *owner; /* of the keys; NULL: who holds the token */
    /* Of a route that is open to all: is this somebody for whom anything may be written? 1: yes. 0: no, and
     * it is answered. NULL: the token has been looked at. */
    int (*admit)(struct api_call *call, struct pg *pg, const void *data, struct err *err);
    /* Within the transaction that remembers the answer; seed is the request's identity. Class retry: rolled
     * back, and done again. A refusal is an answer as well, and is remembered. */
    int (*work)(struct api_call *call, struct pg *pg, void *data, struct uuid seed, struct api_done *ret,
                struct err *err);
    void (*stored)(struct api *api); /* after the commit, before the answer; may be NULL */
    /* The answer of what is remembered, malloc'd, where more is said than may be kept; NULL: it is the same.
     */
    char *(*reveal)(struct api_call *call, struct uuid request, const char *kept);
};
/* `once` is static, `data` in the request's arena. */
void api_once(struct api_call *call, const struct api_once *once, void *data);

/* For `stored`: something is due now. */
void api_wake_clock(struct api *api);

/* Idempotency-Key, owner, fingerprint and trace of a request, for the engine and for records. */
MUST_CHECK int api_identify(struct httpd_request *request, struct input *input);

/* ---- handlers ---- */

void clock_get(struct api_call *call);
void inside_get(struct api_call *call);
void status_get(struct api_call *call);
void metrics_get(struct api_call *call);
void doctor_get(struct api_call *call);
void clock_accept(struct api_call *call);
void node_get(struct api_call *call);
void record_list(struct api_call *call);
void record_get(struct api_call *call);
void record_create(struct api_call *call);
void record_delete(struct api_call *call);
int release_made(struct api_call *call, struct pg *pg, struct uuid id, const char *body, struct err *err);
void images_prune(struct api_call *call);
void images_pruned(struct api_call *call);
void release_withdraw(struct api_call *call);
void release_offer(struct api_call *call);
void release_default(struct api_call *call);
void instance_create(struct api_call *call);
void instance_list(struct api_call *call);
void instance_get(struct api_call *call);
void instance_intent(struct api_call *call);
void instance_steps(struct api_call *call);
void instance_events(struct api_call *call);
void credentials_get(struct api_call *call);
void credentials_confirm(struct api_call *call);
void node_address(struct api_call *call);
void node_invite(struct api_call *call);
void node_enrol(struct api_call *call);
void dead_letter_retry(struct api_call *call);
void health_get(struct api_call *call);
void ready_get(struct api_call *call);

/* Kinds of records. */
struct record_kind {
    const char *name;                                 /* one of them, in sentences */
    const char *create, *get, *list, *blockers, *del; /* statements; NULL: not offered */
    const char *parents;                              /* what must exist already, in words */
    const char *path;
    const char *same; /* a statement: key and body; is this what stands there? NULL: a key is enough */
    /* What follows from a new one, in the transaction that makes it; NULL: nothing. */
    int (*made)(struct api_call *call, struct pg *pg, struct uuid id, const char *body, struct err *err);
};
extern const struct record_kind record_plans, record_customers, record_tenants, record_planes, record_nodes,
    record_sizes, record_apps, record_releases, record_dead_letters;

#endif
