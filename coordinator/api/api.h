/* The HTTP API: what a handler needs, and how it answers. One file per resource; routes.c has the table. */
#ifndef FAIRLEAD_COORDINATOR_API_H
#define FAIRLEAD_COORDINATOR_API_H

#include "base/json.h"
#include "coordinator/access.h"
#include "coordinator/desk.h"
#include "coordinator/engine.h"
#include "coordinator/follow.h"
#include "coordinator/limits.h"
#include "coordinator/presence.h"
#include "coordinator/store/audit.h"
#include "io/broker.h"
#include "io/httpd.h"
#include "model/routes.h"

#define SESSION_COOKIE "__Host-fairlead"

struct api {
    struct access *access;
    struct broker broker;
    const struct authority *authority;                      /* NULL: nodes get no certificates */
    const char *node_brokers, *node_url;                    /* Kafka, and the API, as nodes reach them */
    const char *public_address, *redis, *base, *heads_file; /* of the audit */
    struct signing *signing;
    struct engine *engine, *other_engine; /* of requests; of what is not asked here, NULL: none runs here */
    /* walled: reads of who is limited, as fairlead_customer; checks: looks that take long, so that they hold
     * up nobody's reads */
    struct desk *desk, *walled, *checks;
    struct desk
        *signs; /* passwords: each takes a tenth of a second of a core, so they wait for each other alone */
    struct desk *outside;  /* what waits for identity providers */
    struct limits *limits; /* of both */
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
    const struct principal *principal; /* who asks; NULL: a stranger, where the route is open to them */
    const char *address;               /* from where */
    const char *rest;                  /* what stands in the path for the names in braces: a key, or "" */
    const void *data;                  /* of the handler */
};

/* Who answers a route, in the order of route_rows (model/routes.h). */
struct api_handler {
    void (*handle)(struct api_call *call);
    const void *data;
};
extern const struct api_handler api_handlers[ROUTE_COUNT];

/* What admit.c found out about a request (httpd_request.admitted). */
struct admitted {
    const struct api_handler *handler;
    const struct principal *principal;
    const char *address;
};

/* The callbacks of the server (io/httpd.h): who may go on, before a body is read; and what follows. */
char *api_early_refusal(int status, const char *code, const char *sentence);
bool api_admit(void *api, struct httpd_request *request, bool *ret_known, struct httpd_refusal *ret_refusal);
void api_handle(void *api, struct httpd_request *request);

/* ---- answers ---- */

/* Rows of (cursor, body): at most `limit` of them as a page, whose next one begins behind the last. */
void api_answer_page(struct api_call *call, PGresult *res, int limit);
/* Takes `body` (malloc'd JSON text). */
void api_answer(struct httpd_request *request, int status, char *body);
void api_answer_with(struct httpd_request *request, int status, char *body, int64_t etag,
                     const char *location);
/* What an answer may have besides. */
struct api_more {
    int64_t etag;         /* 0: none */
    const char *location; /* NULL: none */
    const char *cookie;   /* Set-Cookie; NULL: none */
    int retry_s;          /* Retry-After; 0: none, but for 503 */
};
void api_answer_more(struct httpd_request *request, int status, char *body, const struct api_more *more);
void api_refuse_cursor(struct api_call *call);
void api_refuse(struct httpd_request *request, int status, const char *code, const char *sentence);
/* By its class and code: nothing was done and why, ask again (503); or a failure of our own (500). */
void api_refuse_error(struct httpd_request *request, const struct err *err);
/* The body as JSON that fits the route's table; NULL: refused already. */
json_t *api_body(struct api_call *call);

/* ---- requests that are worked on elsewhere: one allocation, in the request's arena ---- */

/* A job at the desk for this call. `work` answers; without a connection the caller is told to come again. */
void api_at_desk(const struct api_call *call, void (*work)(struct api_call *call, struct pg *pg));
/* The same for what only looks: of who is limited PostgreSQL itself shows no more than it reaches (row level
 * security). */
void api_read(const struct api_call *call, void (*work)(struct api_call *call, struct pg *pg));
void api_at_signs(const struct api_call *call, void (*work)(struct api_call *call, struct pg *pg));
void api_at_checks(const struct api_call *call, void (*work)(struct api_call *call, struct pg *pg));

/* What a POST that is done once has done. */
struct api_done {
    int status;
    const char *body,
        *location;      /* in the request's arena; NULL: none. They are remembered, so no secret is in them */
    const char *before; /* what it changed, as it was: for the audit, which keeps its hash */
    struct uuid customer_id; /* whom it concerns; nil: the customer of who asks */
};

/* A refusal, as a problem document in the request's arena. */
void api_done_refusal(const struct api_call *call, struct api_done *ret, int status, const char *code,
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
    /* After the commit, before the answer; may be NULL. */
    void (*stored)(struct api_call *call, struct uuid request);
    /* The answer of what is remembered, malloc'd, where more is said than may be kept; NULL: it is the same.
     */
    char *(*reveal)(struct api_call *call, struct uuid request, const char *kept);
};
/* `once` is static, `data` in the request's arena. */
void api_once(struct api_call *call, const struct api_once *once, void *data);

/* ... at the desk of identity providers. */
void api_at_outside(const struct api_call *call, void (*work)(struct api_call *call, struct pg *pg));

/* For `stored`: something is due now. */
void api_wake_clock(struct api_call *call, struct uuid request);

/* Idempotency-Key, owner, fingerprint and trace of a request, for the engine and for records. */
MUST_CHECK int api_identify(const struct api_call *call, struct input *input);
/* The row of the audit that a call leaves (store/audit.h). */
struct audit_row api_audit_row(const struct api_call *call, int status);

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
void image_admit(struct api_call *call);
void release_withdraw(struct api_call *call);
void release_offer(struct api_call *call);
void release_default(struct api_call *call);
void instance_create(struct api_call *call);
void instance_list(struct api_call *call);
void instance_get(struct api_call *call);
void instance_intent(struct api_call *call);
void instance_steps(struct api_call *call);
void instance_provenance(struct api_call *call);
void instance_events(struct api_call *call);
void credentials_get(struct api_call *call);
void credentials_confirm(struct api_call *call);
void node_address(struct api_call *call);
void node_invite(struct api_call *call);
void node_enrol(struct api_call *call);
void node_revoke(struct api_call *call);
void node_labels(struct api_call *call);
void node_bundle(struct api_call *call);
void node_reports(struct api_call *call);
void authority_get(struct api_call *call);
void renew_challenge(struct api_call *call);
void node_renew_certificate(struct api_call *call);
void dead_letter_retry(struct api_call *call);
void me_get(struct api_call *call);
void member_create(struct api_call *call);
void member_role(struct api_call *call);
void member_delete(struct api_call *call);
void token_list(struct api_call *call);
void token_create(struct api_call *call);
void token_rotate(struct api_call *call);
void token_revoke(struct api_call *call);
void member_invite(struct api_call *call);
void password_set(struct api_call *call);
void session_create(struct api_call *call);
void session_end(struct api_call *call);
void sign_in_begin(struct api_call *call);
void sign_in_end(struct api_call *call);
void identity_provider_create(struct api_call *call);
void me_password(struct api_call *call);
void me_factor(struct api_call *call);
void me_factor_confirm(struct api_call *call);
void me_factor_off(struct api_call *call);
void audit_list(struct api_call *call);
void audit_verify_get(struct api_call *call);
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
    record_sizes, record_apps, record_releases, record_dead_letters, record_key_sets, record_roles,
    record_members, record_identity_providers;

#endif
