/* The contract of a step: look, act, check. Looking says whether there is anything to do; acting does it and
 * may run twice; checking proves it. A step owns nothing but its act: time limits, the ratchet, retries and
 * reports belong to whoever runs it. An error's class is that of the result:
 * retry, or park. */
#ifndef FAIRLEAD_STEP_STEP_H
#define FAIRLEAD_STEP_STEP_H

#include "base/err.h"
#include "base/mem.h"
#include "node/heartbeat.h"
#include "node/keeper.h"
#include "node/node.h"
#include "proto/fairlead.pb-c.h"

#include <stdatomic.h>

/* What the machine offers to steps. */
struct step_machine {
    const struct node_identity *node;
    const char *state, *engine_socket, *registry, *secrets_dir, *repository;
    const char *edge_dir, *nginx_conf, *nginx_pid, *nginx_unit;
    const char *dns_server, *zone;
    const char *edge_user;       /* whom nginx runs as, where the edge is this machine too */
    const char *subnets;         /* range of which each app gets a network; "": the Engine chooses */
    const char *closed_networks; /* that no app reaches */
    bool guard;                  /* between apps and the rest stand rules of nftables */
    int http_port;
    struct disk_meter *disk; /* of a host */
    const struct heartbeat *heartbeat;
    const atomic_int *cancel;
};

struct step_context {
    const struct step_machine *machine;
    struct arena *arena;
    const Fairlead__V1__Document *document;
    char instance[33], node[33];
    const char *letter;         /* of the document's set */
    char place[40];             /* its folder: the instance, and the letter of any set but the first */
    struct keeper_outcome *out; /* what it leads to; its class is set by step_run() */
    void *own;                  /* of the step, from look to check */
};

struct step {
    const char *name;
    /* 1: it is as it should be. 0: act. Negative: an error. */
    int (*look)(struct step_context *ctx, struct err *err);
    int (*act)(struct step_context *ctx, struct err *err);
    int (*check)(struct step_context *ctx, struct err *err);
    void (*end)(struct step_context *ctx); /* releases ctx->own; always called */
};

/* For a document of this node. Everything else is zero. */
struct step_context step_context_of(const struct step_machine *machine,
                                    const Fairlead__V1__Document *document, struct keeper_outcome *out);
/* Look, act where there is something to do, and check. */
void step_run(const struct step *step, struct step_context *ctx);

/* Failure with its short code. */
int step_fail(struct step_context *ctx, struct err *err, enum err_class cls, const char *code,
              const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void step_fact(struct step_context *ctx, const char *key, const char *value);
/* Looking found this amiss: act. The first thing found is kept; it is told when it was put right. Returns 0.
 */
int step_drift(struct step_context *ctx, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

extern const struct step step_stack, step_route, step_watch, step_task, step_certificate;
/* The i-th kind of document that there is a step for; NULL behind the last. */
const char *step_document_kind(size_t i);
/* The step that carries out documents of a kind; NULL: none does. */
const struct step *step_of_document(const char *kind);

#endif
