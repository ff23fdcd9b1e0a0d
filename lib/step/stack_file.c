/* F3: the Compose file of a set: rendered, written where Compose reads it, and recorded. */
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "io/git.h"
#include "model/provenance.h"
#include "model/render.h"
#include "step/image.h"
#include "step/stack_own.h"

#include <stdio.h>
#include <string.h>

/* What a revision says besides of the same containers (when they end) is no reason to make them anew: they
 * keep the numbers that they were made under. */
static uint64_t number_of(const struct stack *stack, const char *label, uint64_t otherwise) {
    const json_t *one = json_array_get(stack->containers, 0);
    const char *text = json_str(json_object_get(json_object_get(one, "Config"), "Labels"), label);
    int64_t n;
    return one && stack_is_ours(stack, one) && text && str_to_int(text, 0, INT64_MAX, &n) ? (uint64_t)n
                                                                                          : otherwise;
}

/* By which the Engine knows its images: by their provenance; where a document of an earlier version has none,
 * as this node found it once. */
static int find_images(struct step_context *ctx, struct stack *stack, struct err *err) {
    stack->image_ids = arena_alloc(ctx->arena, (stack->want->n_images + 1) * sizeof *stack->image_ids);
    for (size_t i = 0; i < stack->want->n_images; i++) {
        struct provenance provenance;
        bool known;
        if (provenance_of(stack->want, i, ctx->arena, &known, &provenance, err) < 0)
            return step_fail(ctx, err, ERR_PARK, "bad_provenance", "%s", arena_strdup(ctx->arena, err->text));
        stack->image_ids[i] = known ? arena_strdup(ctx->arena, provenance.image_id)
                                    : image_bound(ctx, stack->want->images[i]->value);
    }
    return 0;
}

int stack_render(struct step_context *ctx, struct stack *stack, struct err *err) {
    struct render_input input = {
        .stack = stack->want,
        .spec = stack->spec,
        .instance = ctx->instance,
        .node = ctx->node,
        .letter = ctx->letter,
        .revision = number_of(stack, "fairlead.revision", ctx->document->revision),
        .generation = number_of(stack, "fairlead.generation", ctx->document->generation),
        .registry = ctx->machine->registry,
        .secrets_dir = arena_printf(ctx->arena, "%s/%s", ctx->machine->secrets_dir, ctx->instance),
    };
    char subnet[32];
    if (stack->compose)
        return 0;
    if (find_images(ctx, stack, err) < 0 || stack_subnet(ctx, subnet, err) < 0)
        return -1;
    input.subnet = subnet;
    input.image_ids = stack->image_ids;
    if (render_compose(&input, &stack->compose, &stack->text, err) < 0)
        return step_fail(ctx, err, ERR_PARK, "bad_template", "%s", arena_strdup(ctx->arena, err->text));
    return 0;
}

int stack_write(struct step_context *ctx, struct stack *stack, struct err *err) {
    char folder[600];
    if (stack_render(ctx, stack, err) < 0)
        return -1;
    (void)snprintf(folder, sizeof folder, "%s/stacks/%s", ctx->machine->state, ctx->place);
    if (file_mkdirs(folder, 0700, err) < 0)
        return -1;
    return file_write(stack->file, stack->text, strlen(stack->text), 0600, err);
}

void stack_record(struct step_context *ctx, const struct stack *stack, const char *content) {
    struct err err = {0};
    char file[80], branch[64];
    const char *message =
        arena_printf(ctx->arena, "%s: revision %llu\n\ninstance %s\nintent %llu\n",
                     stack->want->instance_name, (unsigned long long)ctx->document->revision, ctx->instance,
                     (unsigned long long)ctx->document->generation);
    (void)snprintf(branch, sizeof branch, "node-%s", ctx->machine->node->name);
    (void)snprintf(file, sizeof file, "%s/compose.yaml", ctx->place);
    const char *tree = arena_printf(ctx->arena, "%s/configuration", ctx->machine->state);
    if (git_commit_file(tree, branch, file, content, message, &err) < 0 ||
        git_push(tree, branch, ctx->machine->repository, &err) < 0)
        log_warn("the configuration repository has not taken a Compose file yet",
                 LOG_S("instance", ctx->instance), LOG_S("error", err.text));
}
