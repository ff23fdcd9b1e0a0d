/* A watch: an instance is fetched through its public name for as long as it is served. Nothing is ever acted
 * on here: what a watch sees is reported when it changes, and mended by whoever owns it. */
#include "base/clock.h"
#include "base/str.h"
#include "step/step.h"
#include "step/verify.h"

#include <unistd.h>

#define SECOND_LOOK_US (2 * CLOCK_S) /* one failed fetch may be a passing one: a reload, a restart */

static bool is_cancelled(const struct step_context *ctx, int64_t for_us) {
    for (int64_t end = clock_mono_us() + for_us; clock_mono_us() < end; (void)usleep(50000))
        if (*ctx->machine->cancel)
            return true;
    return *ctx->machine->cancel;
}

static int look(struct step_context *ctx, struct err *err) {
    const struct verify_dns dns = {ctx->machine->dns_server, ctx->machine->zone};
    const char *code = NULL;
    Fairlead__V1__Watch *watch =
        fairlead__v1__watch__unpack(NULL, ctx->document->content.len, ctx->document->content.data);
    ctx->own = watch;
    if (!watch || !watch->probe)
        return step_fail(ctx, err, ERR_PARK, "bad_document", "The watch document cannot be read.");
    if (ctx->document->absent || !watch->running)
        return 1;
    if (verify_instance(&dns, watch->probe, ctx->arena, &code, err) == 0)
        return 1;
    if (is_cancelled(ctx, SECOND_LOOK_US))
        return step_fail(ctx, err, ERR_RETRY, "stopping", "The worker is stopping.");
    *err = (struct err){0};
    if (verify_instance(&dns, watch->probe, ctx->arena, &code, err) == 0)
        return 1;
    ctx->out->result.code = code;
    return -1;
}

static int nothing(struct step_context *ctx, struct err *err) {
    (void)ctx, (void)err;
    return 0;
}

static void end(struct step_context *ctx) {
    if (ctx->own)
        fairlead__v1__watch__free_unpacked(ctx->own, NULL);
}

const struct step step_watch = {.name = "watch", .look = look, .act = nothing, .check = nothing, .end = end};
