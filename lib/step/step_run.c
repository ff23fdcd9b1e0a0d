#include "model/tables.h"
#include "node/keeper.h"
#include "step/step.h"

#include <stdarg.h>
#include <stdio.h>

struct step_context step_context_of(const struct step_machine *machine,
                                    const Fairlead__V1__Document *document, struct keeper_outcome *out) {
    struct step_context ctx = {.machine = machine,
                               .arena = out->arena,
                               .document = document,
                               .letter = keeper_letter(document),
                               .out = out};
    out->result.log = STR_TAIL(65536);
    hex_encode(ctx.instance, document->instance.data, sizeof machine->node->id.b);
    (void)uuid_hex(machine->node->id, ctx.node);
    bool first = str_eq(ctx.letter, SET_FIRST);
    (void)snprintf(ctx.place, sizeof ctx.place, first ? "%s" : "%s.%s", ctx.instance, ctx.letter);
    return ctx;
}

static int run(const struct step *step, struct step_context *ctx, struct err *err) {
    int there = step->look(ctx, err);
    if (there != 0)
        return there;
    if (step->act(ctx, err) < 0)
        return -1;
    return step->check(ctx, err);
}

void step_run(const struct step *step, struct step_context *ctx) {
    struct err err = {0};
    struct result *result = &ctx->out->result;
    int rc = run(step, ctx, &err);
    step->end(ctx);
    if (rc < 0) {
        result_fail(result, ctx->arena, result->code ? result->code : "failed", &err);
        return;
    }
    result_ok(result);
    str_release(&result->log); /* of what went well nothing is told */
}

int step_fail(struct step_context *ctx, struct err *err, enum err_class cls, const char *code,
              const char *fmt, ...) {
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    ctx->out->result.code = code;
    return err_set(err, cls, "%s", text);
}

void step_fact(struct step_context *ctx, const char *key, const char *value) {
    result_fact(&ctx->out->result, ctx->arena, key, value);
}

int step_drift(struct step_context *ctx, const char *fmt, ...) {
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (!ctx->out->drift)
        ctx->out->drift = arena_strdup(ctx->arena, text);
    return 0;
}

static const struct {
    const char *kind;
    const struct step *step;
} document_steps[] = {{"stack", &step_stack},
                      {"route", &step_route},
                      {"watch", &step_watch},
                      {"task", &step_task},
                      {"certificate", &step_certificate}};
#define DOCUMENT_STEPS (sizeof document_steps / sizeof *document_steps)

const char *step_document_kind(size_t i) {
    return i < DOCUMENT_STEPS ? document_steps[i].kind : NULL;
}

const struct step *step_of_document(const char *kind) {
    for (size_t i = 0; i < DOCUMENT_STEPS; i++)
        if (str_eq(document_steps[i].kind, kind))
            return document_steps[i].step;
    return NULL;
}
