/* What an order asks for, done by the file of its kind, and what is said of it. */
#include "worker/perform.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define SIDE_BY_SIDE 8 /* helpers of one record whose orders mostly wait */

static void perform(struct worker *worker, const Fairlead__V1__Order *order, struct arena *arena,
                    struct result *result) {
    struct err err = {0};
    switch (order->act_case) {
    case FAIRLEAD__V1__ORDER__ACT_NOOP:
        result_ok(result);
        break;
    case FAIRLEAD__V1__ORDER__ACT_RESOLVE:
        order_resolve(worker, order->resolve, arena, result);
        break;
    case FAIRLEAD__V1__ORDER__ACT_BUILD:
        order_build(worker, order->build, arena, result);
        break;
    case FAIRLEAD__V1__ORDER__ACT_DNS:
        order_name(worker, order, arena, result);
        break;
    case FAIRLEAD__V1__ORDER__ACT_PROBE:
        order_verify(worker, order->probe, arena, result);
        break;
    case FAIRLEAD__V1__ORDER__ACT__NOT_SET:
    default:
        (void)err_set(&err, ERR_PARK, "This node does not know that kind of order: it must be updated.");
        result_fail(result, arena, "unknown_order", &err);
        break;
    }
}

static Fairlead__V1__Report *report_of(const Fairlead__V1__Order *order, struct result *result,
                                       int64_t started, struct arena *arena) {
    Fairlead__V1__Report *report = arena_new(arena, Fairlead__V1__Report);
    Fairlead__V1__OrderReport *body = arena_new(arena, Fairlead__V1__OrderReport);
    fairlead__v1__report__init(report);
    fairlead__v1__order_report__init(body);
    report->body_case = FAIRLEAD__V1__REPORT__BODY_ORDER;
    report->order = body;
    body->order = order->id;
    body->attempt = order->attempt;
    body->subject = order->subject;
    body->result = result_wire(result->class);
    body->started_us = started;
    body->ended_us = clock_wall_us();
    body->n_facts = result->facts.n;
    body->facts = result->facts.items;
    body->problem = result_problem(result, arena);
    str_release(&result->log);
    return report;
}

static void note(const char *kind, const Fairlead__V1__Order *order, const struct result *result,
                 int64_t waited, int64_t us) {
    const char *class = result_class_name(result->class);
    char labels[48];
    (void)snprintf(labels, sizeof labels, "%s|%s", kind, class);
    metric_add(METRIC_ORDERS, labels, 1);
    metric_observe_us(METRIC_ORDER_WAIT_SECONDS, kind, waited > 0 ? waited : 0);
    metric_observe_us(METRIC_ORDER_SECONDS, kind, us);
    log_info("order", LOG_S("kind", kind), LOG_S("result", class),
             LOG_S("class", result->code ? result->code : ""), LOG_I("waited_us", waited), LOG_I("us", us),
             LOG_S("subject", order->subject), LOG_S("trace", order->traceparent));
}

bool perform_one(struct worker *worker, const char *kind, const Fairlead__V1__Orders *batch, size_t i,
                 struct arena *arena, Fairlead__V1__Report **ret) {
    struct result result = {.class = RESULT_IS_RETRY, .log = STR_TAIL(RESULT_LOG_MAX)};
    struct err err = {0};
    int64_t started = clock_wall_us();
    if (batch->not_after_us < started) { /* judged for each: those before it may have taken long */
        (void)err_set(&err, ERR_RETRY, "The order came too late and was not carried out.");
        result_fail(&result, arena, "expired", &err);
    } else {
        perform(worker, batch->orders[i], arena, &result);
    }
    if (worker->host->stopping && result.class != RESULT_IS_OK) {
        str_release(&result.log);
        return false;
    }
    note(kind, batch->orders[i], &result, started - batch->issued_us, clock_wall_us() - started);
    *ret = report_of(batch->orders[i], &result, started, arena);
    return true;
}

/* Orders of one record that mostly wait: an app that hangs must not hold up the proof of its neighbours. */
struct bundle {
    struct worker *worker;
    const char *kind;
    const Fairlead__V1__Orders *batch;
    atomic_size_t next;
    atomic_bool cut;
};

static void *run_bundle(void *arg) {
    struct bundle *bundle = arg;
    for (size_t i; (i = atomic_fetch_add(&bundle->next, 1)) < bundle->batch->n_orders && !bundle->cut;) {
        struct arena arena = {0};
        Fairlead__V1__Report *report = NULL;
        if (!perform_one(bundle->worker, bundle->kind, bundle->batch, i, &arena, &report) ||
            !reporter_send(bundle->worker->host->reporter, &report, 1))
            atomic_store(&bundle->cut, true);
        arena_release(&arena);
    }
    return NULL;
}

bool perform_side_by_side(struct worker *worker, const char *kind, const Fairlead__V1__Orders *batch) {
    struct bundle bundle = {.worker = worker, .kind = kind, .batch = batch};
    pthread_t threads[SIDE_BY_SIDE];
    size_t n = 0;
    while (n + 1 < batch->n_orders && n < SIDE_BY_SIDE &&
           pthread_create(&threads[n], NULL, run_bundle, &bundle) == 0)
        n++;
    (void)run_bundle(&bundle);
    while (n)
        pthread_join(threads[--n], NULL);
    return !bundle.cut;
}
