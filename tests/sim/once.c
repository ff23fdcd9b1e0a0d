/* Documents that no walk writes: tasks, which happen once, and certificates. A node marks a task before it
 * begins and writes down its end; one that was cut short between the two says so and does not begin again. */
#include "base/clock.h"
#include "base/str.h"
#include "model/step.h"
#include "proto/fairlead.pb-c.h"
#include "tests/sim/world.h"

#include <string.h>

static struct bytes pack_task(struct world *w, uint64_t number, int64_t until) {
    Fairlead__V1__Task task = FAIRLEAD__V1__TASK__INIT;
    Fairlead__V1__Noop noop = FAIRLEAD__V1__NOOP__INIT;
    uint8_t id[16] = {0};
    memcpy(id, &number, sizeof number);
    task.id = (ProtobufCBinaryData){sizeof id, id};
    task.not_begun_after_us = until;
    task.work_case = FAIRLEAD__V1__TASK__WORK_NOOP;
    task.noop = &noop;
    size_t n = fairlead__v1__task__get_packed_size(&task);
    uint8_t *p = arena_alloc(&w->arena, n);
    fairlead__v1__task__pack(&task, p);
    return (struct bytes){p, n};
}

static bool write_task(struct world *w, struct subject *subject, struct decision *decision, void *arg) {
    const struct set *set = subject_serving(subject);
    (void)arg;
    if (!set || set->state != SET_PLACED || subject->instance->state == STATE_DELETING ||
        subject->instance->state == STATE_DELETED || w->tasks == TASKS_MAX)
        return false;
    int64_t until = w->now + (int64_t)world_random(w, 600) * CLOCK_S;
    document_put(subject, decision, DOCUMENT_TASK, set->letter, set->node_id,
                 pack_task(w, ++w->tasks, until));
    return true;
}

static bool write_certificate(struct world *w, struct subject *subject, struct decision *decision,
                              void *arg) {
    (void)arg;
    if (uuid_is_nil(subject->instance->edge_id) || subject->instance->state == STATE_DELETED)
        return false;
    const char *chain = arena_printf(&w->arena, "chain %u", w->seeds);
    document_put(subject, decision, DOCUMENT_CERTIFICATE, SET_FIRST, subject->instance->edge_id,
                 (struct bytes){chain, strlen(chain)});
    return true;
}

void world_write_once(struct world *w) {
    if (!w->instances_n)
        return;
    int index = (int)world_random(w, (uint64_t)w->instances_n);
    bool task = world_random(w, 2) == 0;
    if (world_transact(w, index, task ? write_task : write_certificate, NULL))
        world_note(w, "%s %u for %d", task ? "task" : "certificate", w->tasks, index);
}

void world_read_task(const struct document *document, struct record *record) {
    Fairlead__V1__Task *task =
        document->kind == DOCUMENT_TASK
            ? fairlead__v1__task__unpack(NULL, document->content.n, document->content.p)
            : NULL;
    if (!task)
        return;
    memcpy(&record->task, task->id.data, sizeof record->task);
    record->until = task->not_begun_after_us;
    fairlead__v1__task__free_unpacked(task, NULL);
}

enum result_class world_do_task(struct world *w, struct held *held) {
    if (held->begun == held->task)
        return held->ended ? RESULT_IS_OK : RESULT_IS_PARK;
    if (held->until < w->now)
        return RESULT_IS_PARK;
    held->begun = held->task;
    held->ended = false;
    if (w->runs[held->task]++)
        world_break(w, "a task was done twice");
    if (w->faults && world_random(w, 5) == 0)
        return RESULT_IS_PARK; /* killed: what was marked stays marked, and is found at the next start */
    held->ended = true;
    return RESULT_IS_OK;
}

void world_check_once(struct world *w, const struct sim_instance *in) {
    for (size_t d = 0; d < in->documents.n; d++) {
        const struct document *document = vec_at(&in->documents, struct document, d);
        bool once = document->kind == DOCUMENT_TASK || document->kind == DOCUMENT_CERTIFICATE;
        if (once && (document->observed != document->revision ||
                     (!str_eq(document->condition, "healthy") && !str_eq(document->condition, "failing"))))
            world_break(w, "nobody knows what became of a task");
        if (document->kind == DOCUMENT_CERTIFICATE && !str_eq(document->condition, "healthy"))
            world_break(w, "a certificate did not reach its edge");
    }
}
