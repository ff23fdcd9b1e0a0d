/* A document, by the step of its kind: as the keeper asks for it, and once by hand. */
#include "base/clock.h"
#include "base/file.h"
#include "base/metrics.h"
#include "base/str.h"
#include "host/host.h"
#include "node/document.h"
#include "node/heartbeat.h"
#include "node/secrets.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define ENVELOPE_FILE_MAX 1048576

/* Of what is to be absent: is there anything that would be taken away? A look changes nothing. */
static bool is_there(const struct step *step, struct step_context *ctx) {
    struct err err = {0};
    int there = step->look(ctx, &err);
    step->end(ctx);
    ctx->own = NULL;
    return there != 1;
}

/* What is new may not be done yet, or ever: what was as wanted before it is kept running meanwhile. Nothing
 * is told of that: what is asked about is the new one. */
static void keep_as_it_was(const struct host *host, const struct step *step,
                           const Fairlead__V1__Document *document, struct arena *arena) {
    struct keeper_outcome outcome = {.arena = arena, .known = true};
    Fairlead__V1__Document *last = node_document_last_healthy(&host->node, host->machine.state, document);
    if (last && !last->absent && step != &step_watch) {
        struct step_context ctx = step_context_of(&host->machine, last, &outcome);
        step_run(step, &ctx);
    }
    str_release(&outcome.result.log);
    fairlead__v1__document__free_unpacked(last, NULL);
}

static void apply(struct host *host, const Fairlead__V1__Document *document, struct keeper_outcome *outcome) {
    const struct step *step = step_of_document(document->kind);
    struct result *result = &outcome->result;
    if (!step) {
        result->class = RESULT_IS_PARK;
        result->code = "unknown_document";
        result->text = "This node does not know that kind of document: it must be updated.";
        return;
    }
    if (!outcome->known && host->conf.allows && !host->conf.allows(host->conf.arg, document, outcome)) {
        keep_as_it_was(host, step, document, outcome->arena);
        return;
    }
    const char *doubt = document->absent ? heartbeat_doubt(host->heartbeat) : NULL;
    struct step_context ctx = step_context_of(&host->machine, document, outcome);
    char labels[48];
    if (doubt && is_there(step, &ctx)) {
        result->class = RESULT_IS_RETRY;
        result->code = "in_doubt";
        result->text =
            str_eq(doubt, "stale")
                ? "The coordinator's heartbeat is not heard: nothing is deleted until it is."
                : "Something that the coordinator wants is withheld: nothing is deleted until it comes.";
        return;
    }
    int64_t began = clock_mono_us();
    step_run(step, &ctx);
    outcome->cut = host->stopping && result->class != RESULT_IS_OK;
    (void)snprintf(labels, sizeof labels, "%s|%s", step->name, result_class_name(result->class));
    metric_add(METRIC_APPLIED, labels, 1);
    metric_observe_us(METRIC_APPLY_SECONDS, step->name, clock_mono_us() - began);
}

void host_apply(void *arg, const Fairlead__V1__Document *document, struct keeper_outcome *outcome) {
    struct host *host = arg;
    apply(host, document, outcome);
    if (host->conf.done)
        host->conf.done(host->conf.arg, document, outcome);
}

/* ---- by hand ---- */

static Fairlead__V1__Document *read_document(const struct host *host, const char *key, struct err *err) {
    char path[PATH_MAX];
    size_t n;
    cleanup_free char *envelope = NULL;
    if (strchr(key, '/')) {
        (void)err_set(err, ERR_PARK, "a key is INSTANCE.KIND, not a path");
        return NULL;
    }
    (void)snprintf(path, sizeof path, "%s/documents/%s.accepted", host->machine.state, key);
    if (!file_exists(path)) {
        (void)err_set(err, ERR_PARK, "this node holds no document \"%s\": %s/documents has them", key,
                      host->machine.state);
        return NULL;
    }
    return file_read(path, ENVELOPE_FILE_MAX, &envelope, &n, err) < 0
               ? NULL
               : node_document_open(&host->node, envelope, n, NULL, err);
}

static int tell_failure(const char *phase, const struct step_context *ctx, const struct err *err) {
    const char *code = ctx->out->result.code, *log = str_text(&ctx->out->result.log);
    printf("%s: %s, %s: %s\n", phase, err->cls == ERR_RETRY ? "try again" : "waits for a person",
           code ? code : "failed", err->text);
    if (*log)
        printf("%s%s", log, log[strlen(log) - 1] == '\n' ? "" : "\n");
    return 1;
}

static int go_through(const struct step *step, struct step_context *ctx, bool act) {
    struct err err = {0};
    int there = step->look(ctx, &err);
    if (there < 0)
        return tell_failure("look", ctx, &err);
    printf("look: %s\n", there             ? "as it should be"
                         : ctx->out->drift ? ctx->out->drift
                                           : "there is something to do");
    if (!there && act) {
        if (step->act(ctx, &err) < 0)
            return tell_failure("act", ctx, &err);
        printf("act: done\n");
        if (step->check(ctx, &err) < 0)
            return tell_failure("check", ctx, &err);
        printf("check: as it should be\n");
    }
    for (size_t i = 0; i < ctx->out->result.facts.n; i++) {
        const Fairlead__V1__KeyValue *fact = *vec_at(&ctx->out->result.facts, Fairlead__V1__KeyValue *, i);
        printf("fact: %s = %s\n", fact->key, fact->value);
    }
    return 0;
}

static int try_document(struct host *host, const Fairlead__V1__Document *document, bool act,
                        struct arena *arena) {
    struct keeper_outcome outcome = {.arena = arena};
    const struct step *step = step_of_document(document->kind);
    if (!step) {
        (void)fprintf(stderr, "fairlead-%s: no step is for documents of the kind \"%s\"\n",
                      host->conf.program, document->kind);
        return 1;
    }
    struct step_context ctx = step_context_of(&host->machine, document, &outcome);
    printf("%s of %s, set %s: epoch %u, revision %llu%s\n", document->kind, ctx.instance, ctx.letter,
           document->epoch, (unsigned long long)document->revision, document->absent ? ", absent" : "");
    int rc = go_through(step, &ctx, act);
    step->end(&ctx);
    str_release(&outcome.result.log);
    return rc;
}

int host_try(struct host *host, const char *key, bool act) {
    struct err err = {0};
    struct arena arena = {0};
    bool ready =
        host_load(host, &err) == 0 && (!act || host_lock(host, &err) == 0) &&
        (!act || !(host->conf.roles & ROLE_HOST) || secrets_mount(host->machine.secrets_dir, &err) == 0);
    Fairlead__V1__Document *document = ready ? read_document(host, key, &err) : NULL;
    int rc = document ? try_document(host, document, act, &arena) : 1;
    if (document)
        fairlead__v1__document__free_unpacked(document, NULL);
    else
        (void)fprintf(stderr, "fairlead-%s: %s\n", host->conf.program, err.text);
    arena_release(&arena);
    return rc;
}
