/* Work that happens once. A marker is on disk, synced, before it begins, and its end is written there:
 * whoever finds it begun and not ended was cut short, says so, and does not begin again; only the
 * coordinator, which can ask a person, orders it anew under another identity. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "step/step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARKER_MAX 65536

struct marked {
    Fairlead__V1__Task *task;
    char path[600];
};

static json_t *read_marker(const struct marked *marked, struct err *err) {
    cleanup_free char *text = NULL;
    size_t n;
    if (!file_exists(marked->path) || file_read(marked->path, MARKER_MAX, &text, &n, err) < 0)
        return NULL;
    return json_parse(text, n, err);
}

static int write_marker(const struct marked *marked, const char *end, struct err *err) {
    char at[28];
    cleanup_json json_t *marker = json_pack("{s:s, s:s?}", "at", clock_text(clock_wall_us(), at), "end", end);
    cleanup_free char *text = json_text(marker);
    return file_write(marked->path, text, strlen(text), 0600, err);
}

static int open_task(struct step_context *ctx, struct marked *marked, struct err *err) {
    char hex[UUID_HEX_SIZE];
    marked->task = fairlead__v1__task__unpack(NULL, ctx->document->content.len, ctx->document->content.data);
    if (!marked->task || marked->task->id.len != sizeof(struct uuid))
        return step_fail(ctx, err, ERR_PARK, "bad_document", "The task document cannot be read.");
    hex_encode(hex, marked->task->id.data, sizeof(struct uuid));
    (void)snprintf(marked->path, sizeof marked->path, "%s/tasks/%s.json", ctx->machine->state, hex);
    return 0;
}

static int look(struct step_context *ctx, struct err *err) {
    struct marked *marked = arena_new(ctx->arena, struct marked);
    ctx->own = marked;
    if (open_task(ctx, marked, err) < 0)
        return -1;
    if (ctx->document->absent)
        return !file_exists(marked->path);
    cleanup_json json_t *marker = read_marker(marked, err);
    if (!marker)
        return file_exists(marked->path) ? -1 : 0;
    const char *end = json_str(marker, "end"), *at = json_str(marker, "at");
    if (str_eq(end, "ok"))
        return 1;
    if (end)
        return step_fail(ctx, err, ERR_PARK, "task_failed", "%s", arena_strdup(ctx->arena, end));
    return step_fail(ctx, err, ERR_PARK, "interrupted",
                     "The task was begun at %s and cut short: how far it came, nobody knows.", at ? at : "");
}

/* One branch per kind of work; none needs a machine yet. */
static int perform(struct step_context *ctx, const Fairlead__V1__Task *task, struct err *err) {
    if (task->work_case == FAIRLEAD__V1__TASK__WORK_NOOP)
        return 0;
    return step_fail(ctx, err, ERR_PARK, "unknown_task",
                     "This node does not know that kind of task: it must be updated.");
}

static int act(struct step_context *ctx, struct err *err) {
    struct marked *marked = ctx->own;
    char folder[600];
    struct err failed = {0};
    if (ctx->document->absent)
        return file_remove_tree(marked->path, err);
    if (marked->task->not_begun_after_us && clock_wall_us() > marked->task->not_begun_after_us)
        return step_fail(ctx, err, ERR_PARK, "expired", "The task came too late and was not begun.");
    (void)snprintf(folder, sizeof folder, "%s/tasks", ctx->machine->state);
    if (file_mkdirs(folder, 0700, err) < 0 || write_marker(marked, NULL, err) < 0 ||
        fault_check(FAULT_TASK_MARKED, err) < 0)
        return -1;
    int rc = perform(ctx, marked->task, &failed);
    if (fault_check(FAULT_TASK_DONE, err) < 0 || write_marker(marked, rc < 0 ? failed.text : "ok", err) < 0)
        return -1;
    if (rc < 0)
        *err = failed;
    return rc;
}

static int check(struct step_context *ctx, struct err *err) {
    (void)ctx, (void)err;
    return 0; /* what it did is what its kind of work proves */
}

static void end(struct step_context *ctx) {
    struct marked *marked = ctx->own;
    if (marked && marked->task)
        fairlead__v1__task__free_unpacked(marked->task, NULL);
}

const struct step step_task = {.name = "task", .look = look, .act = act, .check = check, .end = end};
