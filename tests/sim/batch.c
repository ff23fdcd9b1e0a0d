/* The engines of the simulator. What a batch joins, decides and puts back is the coordinator's own code; here
 * its rows are the world's: what it claims and locks, what it writes whole or not at all, and what it asks
 * again when it does not know which of the two it was. */
#include "base/str.h"
#include "coordinator/engine_own.h"
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_MAX 12

void world_submit(struct world *w, int engine, const struct input *input) {
    struct input *mine = arena_new(&w->arena, struct input);
    *mine = *input;
    mine->seed = world_seed(w);
    *vec_add(&w->arena, &w->queues[engine], struct input *) = mine;
}

/* ---- what is claimed and locked ---- */

static int told_before(const struct world *w, const struct input *input) {
    for (size_t i = 0; i < w->told.n; i++) {
        const struct told *told = vec_at(&w->told, struct told, i);
        if ((input->tried && uuid_eq(told->seed, input->seed)) ||
            (input->key && str_eq(told->key, input->key)))
            return told->status;
    }
    return 0;
}

static bool has_intent(const struct world *w, const struct input *input) {
    char hex[UUID_HEX_SIZE];
    const struct vec *intents =
        &w->instances[world_instance_of(w, uuid_hex(input->instance_id, hex))].intents;
    for (size_t i = 0; i < intents->n; i++)
        if (uuid_eq(vec_at(intents, struct intent, i)->request_id, input->seed))
            return true;
    return false;
}

/* As requests_send() claims and requests_find.sql finds. */
static void claim_request(const struct world *w, struct batch_input *in) {
    int status = told_before(w, in->input);
    if (!status && in->input->tried && !in->input->key && has_intent(w, in->input))
        status = 202;
    if (!status)
        return;
    in->replayed = true;
    request_answer(in, status, NULL, 0, NULL);
}

/* As timers_claim.sql. */
static void claim_timer(const struct world *w, struct batch_input *in) {
    for (size_t i = 0; i < w->timers.n; i++) {
        const struct timer *timer = vec_at(&w->timers, struct timer, i);
        if ((int)timer->kind == in->input->timer_kind && str_eq(timer->subject, in->input->timer_subject) &&
            timer->due_at <= w->now)
            in->claimed = true;
    }
}

/* As works_waiting.sql. */
static int64_t waiting_since(const struct world *w, const char *key) {
    int64_t latest = 0;
    for (int i = 0; i < w->instances_n; i++)
        for (size_t s = 0; s < w->instances[i].steps.n; s++) {
            const struct step *step = vec_at(&w->instances[i].steps, struct step, s);
            if (step->state == STEP_OPEN && str_eq(step->work_key, key) && step->started_at > latest)
                latest = step->started_at;
        }
    return latest;
}

/* One row for all inputs of a batch that are about it. */
static void lock_work(struct world *w, struct engine_batch *batch, struct batch_input *in) {
    const char *key = in->input->kind == INPUT_WORK ? in->input->work_key : in->input->timer_subject;
    const struct work *row = world_work(w, key);
    for (size_t i = 0; i < batch->base.works.n && !in->work; i++)
        if (str_eq((*vec_at(&batch->base.works, struct work *, i))->key, key))
            in->work = *vec_at(&batch->base.works, struct work *, i);
    if (!in->work && row) {
        in->work = arena_new(&w->arena, struct work);
        *in->work = *row;
        *vec_add(&w->arena, &batch->base.works, struct work *) = in->work;
    }
    in->waiting_since = waiting_since(w, key);
}

/* Whoever reports takes only what no other transaction holds; a request waits for it. */
static void lock_instance(struct world *w, struct engine_batch *batch, struct uuid id, bool skip_locked) {
    char hex[UUID_HEX_SIZE];
    int index = world_instance_of(w, uuid_hex(id, hex));
    if (index < 0 || batch_subject(&batch->base, id))
        return;
    for (size_t i = 0; i < batch->base.held.n; i++)
        if (uuid_eq(*vec_at(&batch->base.held, struct uuid, i), id))
            return;
    if (skip_locked && w->faults && world_random(w, 10) == 0) {
        *vec_add(&w->arena, &batch->base.held, struct uuid) = id;
        return;
    }
    struct subject loaded;
    world_load(w, index, &loaded);
    *batch_add_subject(&batch->base, loaded.instance, loaded.release, loaded.plane) = loaded;
}

static void load(struct world *w, struct engine_batch *batch, bool skip_locked) {
    for (size_t i = 0; i < batch->n; i++) {
        struct batch_input *in = &batch->inputs[i];
        if (in->input->kind == INPUT_INTENT)
            claim_request(w, in);
        else if (in->input->kind == INPUT_TIMER)
            claim_timer(w, in);
        if (in->input->kind == INPUT_WORK ||
            (in->input->kind == INPUT_TIMER && in->input->timer_kind == TIMER_WORK))
            lock_work(w, batch, in);
        lock_instance(w, batch, in->input->instance_id, skip_locked);
    }
}

/* ---- what is written ---- */

/* As works_fan_out.sql. */
static void fan_out(struct world *w, const char *key) {
    for (int i = 0; i < w->instances_n; i++)
        for (size_t s = 0; s < w->instances[i].steps.n; s++) {
            const struct step *step = vec_at(&w->instances[i].steps, struct step, s);
            char hex[UUID_HEX_SIZE];
            if (step->state == STEP_OPEN && str_eq(step->work_key, key))
                world_set_timer(
                    w,
                    &(struct timer){TIMER_INSTANCE,
                                    arena_strdup(&w->arena, uuid_hex(w->instances[i].row.id, hex)), w->now});
        }
}

/* As requests_store(): what is accepted without a key is known by its intent. */
static void store_answer(struct world *w, const struct batch_input *in) {
    int status = in->input->answer.status;
    if (in->input->kind == INPUT_INTENT && in->replayed && !in->input->tried && has_intent(w, in->input))
        world_break(w, "a key was decided twice");
    if (in->input->kind != INPUT_INTENT || !in->answered || in->skip || in->replayed)
        return;
    if (in->input->key || status != 202)
        *vec_add(&w->arena, &w->told, struct told) = (struct told){in->input->seed, in->input->key, status};
}

/* In the order of transaction.c and batch_store.c. */
static void store(struct world *w, struct engine_batch *batch) {
    for (size_t i = 0; i < batch->n; i++)
        if (batch->inputs[i].claimed)
            world_set_timer(w, &(struct timer){(enum timer_kind)batch->inputs[i].input->timer_kind,
                                               batch->inputs[i].input->timer_subject, 0});
    for (size_t s = 0; s < batch->base.subjects_n; s++)
        world_store(w, batch->base.subjects[s]);
    for (size_t i = 0; i < batch->base.works.n; i++) {
        const struct work *work = *vec_at(&batch->base.works, struct work *, i);
        *world_work(w, work->key) = *work;
        world_work(w, work->key)->change = ROW_KEPT;
    }
    for (size_t i = 0; i < batch->base.fan_out.n; i++)
        fan_out(w, *vec_at(&batch->base.fan_out, const char *, i));
    for (size_t i = 0; i < batch->base.decisions.n; i++)
        world_take_decision(w, *vec_at(&batch->base.decisions, struct decision *, i));
    for (size_t i = 0; i < batch->n; i++)
        store_answer(w, &batch->inputs[i]);
}

/* ---- a batch, until it is stored ---- */

static void finish(struct world *w, int engine, const struct engine_batch *batch) {
    for (size_t i = 0; i < batch->n; i++) {
        const struct batch_input *in = &batch->inputs[i];
        if (in->skip) {
            *vec_add(&w->arena, &w->queues[engine], struct input *) = in->input;
            continue;
        }
        if (in->input->kind == INPUT_INTENT)
            world_note(w, "request: %s %s %d%s", intent_rows[in->input->event.intent].name,
                       in->subject ? in->subject->instance->host : "", in->input->answer.status,
                       in->replayed ? " once more" : "");
        if (in->input->kind == INPUT_INTENT && in->input->answer.status == 202 && !in->input->key &&
            !has_intent(w, in->input))
            world_break(w, "an acknowledged request is lost");
        if (in->input->refused)
            world_break(
                w, arena_printf(&w->arena, "what an honest node says is refused: %s", in->input->refused));
    }
}

static void free_answers(const struct engine_batch *batch) {
    for (size_t i = 0; i < batch->n; i++) {
        free(batch->inputs[i].input->answer.body);
        free(batch->inputs[i].input->answer.location);
        batch->inputs[i].input->answer = (struct answer){0};
    }
}

/* False: not stored, or nobody knows. */
static bool run(struct world *w, int engine, struct input **inputs, size_t n) {
    struct err err;
    struct engine_batch batch = {.base = {.arena = &w->arena,
                                          .settings = w->settings,
                                          .now = w->now,
                                          .epoch = 1,
                                          .random = world_random(w, 1000)},
                                 .inputs = arena_alloc(&w->arena, n * sizeof(struct batch_input)),
                                 .n = n};
    for (size_t i = 0; i < n; i++)
        batch.inputs[i] = (struct batch_input){.input = inputs[i]};
    if (requests_prepare(&batch, &err) < 0)
        world_break(w, "a batch without a create asks for more than rows");
    load(w, &batch, engine == BY_REPORT);
    engine_join(&batch);
    requests_decide(&batch);
    reports_decide(&batch);
    bool dies = w->faults && world_random(w, 20) == 0, lost = w->faults && world_random(w, 20) == 0;
    if (!dies)
        store(w, &batch);
    if (!dies && !lost)
        finish(w, engine, &batch);
    free_answers(&batch);
    return !dies && !lost;
}

void world_engine(struct world *w, int engine) {
    struct vec *queue = &w->queues[engine];
    struct input *inputs[BATCH_MAX];
    size_t n = 1 + world_random(w, BATCH_MAX);
    if (!queue->n)
        return;
    n = n < queue->n ? n : queue->n;
    memcpy(inputs, queue->items, n * sizeof *inputs);
    queue->n -= n;
    memmove(queue->items, (struct input **)queue->items + n, queue->n * sizeof *inputs);
    while (!run(w, engine, inputs, n) && !w->broken)
        for (size_t i = 0; i < n; i++)
            inputs[i]->tried = true;
}
