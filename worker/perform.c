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

void outcome_ok(struct outcome *outcome) {
    outcome->result = FAIRLEAD__V1__RESULT__RESULT_OK;
}

void outcome_fail(struct outcome *outcome, struct arena *arena, const char *cls, const struct err *err) {
    outcome->result =
        err->cls == ERR_RETRY ? FAIRLEAD__V1__RESULT__RESULT_RETRY : FAIRLEAD__V1__RESULT__RESULT_PARK;
    outcome->cls = cls;
    outcome->text = arena_strdup(arena, err->text);
}

void outcome_fact(struct outcome *outcome, struct arena *arena, const char *key, const char *value) {
    Fairlead__V1__KeyValue *pair = arena_new(arena, Fairlead__V1__KeyValue);
    fairlead__v1__key_value__init(pair);
    pair->key = arena_strdup(arena, key);
    pair->value = arena_strdup(arena, value);
    *vec_add(arena, &outcome->facts, Fairlead__V1__KeyValue *) = pair;
}

static void perform(struct worker *worker, const Fairlead__V1__Order *order, struct arena *arena,
                    struct outcome *outcome) {
    struct err err = {0};
    switch (order->act_case) {
    case FAIRLEAD__V1__ORDER__ACT_NOOP:
        outcome_ok(outcome);
        break;
    case FAIRLEAD__V1__ORDER__ACT_RESOLVE:
        order_resolve(worker, order->resolve, arena, outcome);
        break;
    case FAIRLEAD__V1__ORDER__ACT_BUILD:
        order_build(worker, order->build, arena, outcome);
        break;
    case FAIRLEAD__V1__ORDER__ACT_DNS:
        order_dns(worker, order, arena, outcome);
        break;
    case FAIRLEAD__V1__ORDER__ACT_PROBE:
        order_probe(worker, order->probe, arena, outcome);
        break;
    case FAIRLEAD__V1__ORDER__ACT__NOT_SET:
    default:
        (void)err_set(&err, ERR_PARK, "This node does not know that kind of order: it must be updated.");
        outcome_fail(outcome, arena, "unknown_order", &err);
        break;
    }
}

static Fairlead__V1__Report *report_of(const Fairlead__V1__Order *order, struct outcome *outcome,
                                       int64_t started, struct arena *arena) {
    Fairlead__V1__Report *report = arena_new(arena, Fairlead__V1__Report);
    Fairlead__V1__OrderReport *body = arena_new(arena, Fairlead__V1__OrderReport);
    Fairlead__V1__Problem *problem = arena_new(arena, Fairlead__V1__Problem);
    fairlead__v1__report__init(report);
    fairlead__v1__order_report__init(body);
    fairlead__v1__problem__init(problem);
    report->body_case = FAIRLEAD__V1__REPORT__BODY_ORDER;
    report->order = body;
    body->order = order->id;
    body->attempt = order->attempt;
    body->subject = order->subject;
    body->result = outcome->result;
    body->started_us = started;
    body->ended_us = clock_wall_us();
    body->n_facts = outcome->facts.n;
    body->facts = outcome->facts.items;
    if (outcome->cls || outcome->lines.n) {
        problem->cls = arena_strdup(arena, outcome->cls ? outcome->cls : "");
        problem->text = arena_strdup(arena, outcome->text ? outcome->text : "");
        problem->lines = arena_strdup(arena, str_text(&outcome->lines));
        body->problem = problem;
    }
    str_release(&outcome->lines);
    return report;
}

static void note(const char *kind, const Fairlead__V1__Order *order, const struct outcome *outcome,
                 int64_t waited, int64_t us) {
    const char *result = outcome->result == FAIRLEAD__V1__RESULT__RESULT_OK      ? "ok"
                         : outcome->result == FAIRLEAD__V1__RESULT__RESULT_RETRY ? "retry"
                                                                                 : "park";
    char labels[48];
    (void)snprintf(labels, sizeof labels, "%s|%s", kind, result);
    metric_add(METRIC_ORDERS, labels, 1);
    metric_observe_us(METRIC_ORDER_WAIT_SECONDS, kind, waited > 0 ? waited : 0);
    metric_observe_us(METRIC_ORDER_SECONDS, kind, us);
    log_info("order", LOG_S("kind", kind), LOG_S("result", result),
             LOG_S("class", outcome->cls ? outcome->cls : ""), LOG_I("waited_us", waited), LOG_I("us", us),
             LOG_S("subject", order->subject), LOG_S("trace", order->traceparent));
}

bool perform_one(struct worker *worker, const char *kind, const Fairlead__V1__Orders *batch, size_t i,
                 struct arena *arena, Fairlead__V1__Report **ret) {
    struct outcome outcome = {.lines = STR_INIT(8000)};
    struct err err = {0};
    int64_t started = clock_wall_us();
    if (batch->not_after_us < started) { /* judged for each: those before it may have taken long */
        (void)err_set(&err, ERR_RETRY, "The order came too late and was not carried out.");
        outcome_fail(&outcome, arena, "expired", &err);
    } else {
        perform(worker, batch->orders[i], arena, &outcome);
    }
    if (worker->stopping && outcome.result != FAIRLEAD__V1__RESULT__RESULT_OK) {
        str_release(&outcome.lines);
        return false;
    }
    note(kind, batch->orders[i], &outcome, started - batch->issued_us, clock_wall_us() - started);
    *ret = report_of(batch->orders[i], &outcome, started, arena);
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
            !reporter_send(bundle->worker->reporter, &report, 1))
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
