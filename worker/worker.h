/* What the parts of a worker share. */
#ifndef FAIRLEAD_WORKER_WORKER_H
#define FAIRLEAD_WORKER_WORKER_H

#include "host/host.h"
#include "node/result.h"

/* Settings that orders need (worker/main.c has the table). */
struct worker_conf {
    const char *state, *engine_socket, *registry, *source_prefix, *dns_server, *dns_key_file, *zone;
    /* Of builders: what sources and builds need to reach the outside; "": nothing. */
    const char *proxy, *no_proxy, *build_ca, *build_args;
};

struct worker {
    struct worker_conf conf;
    struct host *host;
};

/* Before the first order: takes away what a killed worker was building from. */
void builds_clear(const struct worker *worker);
/* One file per kind of order. `worker->host->stopping` becomes non-zero when the worker must end. */
void order_resolve(struct worker *worker, const Fairlead__V1__Resolve *resolve, struct arena *arena,
                   struct result *result);
void order_build(struct worker *worker, const Fairlead__V1__Build *build, struct arena *arena,
                 struct result *result);
void order_name(struct worker *worker, const Fairlead__V1__Order *order, struct arena *arena,
                struct result *result);
void order_verify(struct worker *worker, const Fairlead__V1__Probe *probe, struct arena *arena,
                  struct result *result);

/* Readers of orders: one consumer group per topic (protocol section 6). Only what was signed for the role of
 * its step is carried out, whatever topic it is found in. */
struct orders;
struct orders_manner {
    enum step_kind step;
    int threads;
    bool in_turn;      /* one record of a partition at a time: long jobs, and those that must not race */
    bool side_by_side; /* the orders of a record at once: jobs that mostly wait */
};
struct orders *orders_start(struct worker *worker, const struct orders_manner *manner, struct err *err);
void orders_stop(struct orders *orders); /* finishes what has begun; NULL is fine */

#endif
