/* What the keeper says of a document, and what it remembers of it. */
#include "base/fault.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/str.h"
#include "node/keeper_item.h"

#include <stdio.h>
#include <string.h>

static const char *condition_of(const Fairlead__V1__Document *document,
                                const struct keeper_outcome *outcome) {
    if (outcome->result.class != RESULT_IS_OK)
        return "failing";
    if (document->absent)
        return "absent";
    bool may_stop = str_eq(document->kind, "stack") || str_eq(document->kind, "watch");
    return !may_stop || keeper_wants_running(document) ? "healthy" : "stopped";
}

static void add_secrets(struct arena *arena, const struct vec *from, size_t *ret_n,
                        Fairlead__V1__SealedSecret ***ret) {
    struct vec out = {0};
    for (size_t i = 0; i < from->n; i++) {
        const struct keeper_secret *secret = vec_at(from, struct keeper_secret, i);
        Fairlead__V1__SealedSecret *sealed = arena_new(arena, Fairlead__V1__SealedSecret);
        fairlead__v1__sealed_secret__init(sealed);
        sealed->name = arena_strdup(arena, secret->name);
        sealed->box = (ProtobufCBinaryData){secret->n, (uint8_t *)(uintptr_t)secret->box};
        *vec_add(arena, &out, Fairlead__V1__SealedSecret *) = sealed;
    }
    *ret_n = out.n;
    *ret = out.items;
}

static void say(struct keeper *keeper, const Fairlead__V1__Document *document, const char *condition,
                struct keeper_outcome *outcome) {
    struct arena *arena = outcome->arena;
    Fairlead__V1__Report report = FAIRLEAD__V1__REPORT__INIT;
    Fairlead__V1__DocumentReport body = FAIRLEAD__V1__DOCUMENT_REPORT__INIT;
    report.body_case = FAIRLEAD__V1__REPORT__BODY_DOCUMENT;
    report.document = &body;
    body.instance = document->instance;
    body.kind = document->kind;
    body.set = document->set;
    body.epoch = document->epoch;
    body.revision = document->revision;
    body.condition = arena_strdup(arena, condition);
    body.result = result_wire(outcome->result.class);
    body.n_facts = outcome->result.facts.n;
    body.facts = outcome->result.facts.items;
    body.problem = result_problem(&outcome->result, arena);
    add_secrets(arena, &outcome->delivered, &body.n_delivered, &body.delivered);
    add_secrets(arena, &outcome->recovery, &body.n_recovery, &body.recovery);
    /* Without waiting: a broker that is away must not keep stacks from starting. All is said again at the
     * next start. */
    reporter_post(keeper->conf.reporter, &report);
}

/* Drift is what was found amiss after this very revision had been reached; a first start is none. */
static bool is_drift(const struct taken *taken, const struct keeper_outcome *outcome) {
    return outcome->drift && outcome->result.class == RESULT_IS_OK &&
           taken->said == taken->document->revision && !str_eq(taken->condition, "failing");
}

static void tell_drift(const struct taken *taken, struct keeper_outcome *outcome) {
    result_fact(&outcome->result, outcome->arena, "drift", outcome->drift);
    metric_add(METRIC_DRIFT, taken->document->kind, 1);
    log_info("drift repaired", LOG_S("document", taken->document->kind), LOG_S("found", outcome->drift));
}

void keeper_conclude(struct keeper *keeper, const char *key, struct taken *taken,
                     struct keeper_outcome *outcome) {
    struct err err = {0};
    const Fairlead__V1__Document *document = taken->document;
    const char *condition = condition_of(document, outcome),
               *text = outcome->result.text ? outcome->result.text : "";
    if (outcome->result.class == RESULT_IS_OK && !taken->healthy_saved) {
        taken->healthy_saved =
            ratchet_write(keeper->conf.state, key, "healthy", taken->envelope, taken->envelope_n, &err) == 0;
        if (!taken->healthy_saved)
            log_warn("the last healthy document is not on disk yet", LOG_S("error", err.text));
    }
    (void)fault_reach(FAULT_WORKER_SPOOLED);
    bool news = outcome->news || taken->said != document->revision || !str_eq(taken->condition, condition) ||
                (outcome->result.class != RESULT_IS_OK &&
                 strncmp(taken->problem, text, sizeof taken->problem - 1) != 0);
    if (is_drift(taken, outcome)) {
        tell_drift(taken, outcome);
        news = true;
    }
    if (news)
        say(keeper, document, condition, outcome);
    taken->said = document->revision;
    (void)snprintf(taken->condition, sizeof taken->condition, "%s", condition);
    (void)snprintf(taken->problem, sizeof taken->problem, "%s", text);
    if (outcome->result.class != RESULT_IS_OK)
        log_warn("a document is not reached yet", LOG_S("document", key),
                 LOG_S("class", outcome->result.code ? outcome->result.code : ""), LOG_S("error", text),
                 LOG_I("revision", document->revision), LOG_S("trace", document->traceparent));
    else if (news)
        log_info("document reached", LOG_S("document", key), LOG_S("condition", condition),
                 LOG_I("revision", document->revision), LOG_S("trace", document->traceparent));
}
