#include "model/subject.h"

#include "base/json.h"
#include "base/str.h"

struct uuid decision_id(struct decision *decision) {
    return uuid_derive(decision->seed, ++decision->ids);
}

void decision_event(struct subject *subject, struct decision *decision, enum event_kind kind, json_t *data) {
    struct instance *instance = subject->instance;
    const struct intent *intent = subject_running(subject);
    struct event_row *event = vec_add(decision->arena, &decision->events, struct event_row);
    cleanup_json json_t *object = data ? data : json_object();
    cleanup_free char *text = json_text(object);
    *event = (struct event_row){
        .id = decision_id(decision),
        .tenant_id = instance->tenant_id,
        .instance_id = instance->id,
        .sequence = ++instance->event_seq,
        .generation = instance->running,
        .at = decision->now,
        .type = event_rows[kind].type,
        .data = arena_strdup(decision->arena, text),
        .trace = intent ? intent->trace : NULL,
    };
    row_touch(&instance->change);
}

void decision_timer(struct decision *decision, enum timer_kind kind, const char *subject, int64_t due_at) {
    struct timer *timer = vec_add(decision->arena, &decision->timers, struct timer);
    *timer =
        (struct timer){.kind = kind, .subject = arena_strdup(decision->arena, subject), .due_at = due_at};
    if (due_at && due_at <= decision->now)
        decision->works_due = true;
}

bool subject_is_private(const struct subject *subject) {
    return subject->plane && str_eq(subject->plane->mode, "private");
}

bool subject_is_by_file(const struct subject *subject) {
    return subject->plane && str_eq(subject->plane->link, "file");
}

struct intent *subject_intent(const struct subject *subject, int64_t generation) {
    for (size_t i = 0; i < subject->intents.n; i++)
        if (vec_at(&subject->intents, struct intent, i)->generation == generation)
            return vec_at(&subject->intents, struct intent, i);
    return NULL;
}

struct intent *subject_running(const struct subject *subject) {
    return subject_intent(subject, subject->instance->running);
}

struct document *subject_document(const struct subject *subject, int kind, const char *letter) {
    for (size_t i = 0; i < subject->documents.n; i++) {
        struct document *document = vec_at(&subject->documents, struct document, i);
        if (document->kind == kind && str_eq(document->letter, letter))
            return document;
    }
    return NULL;
}

struct set *subject_set(const struct subject *subject, const char *letter) {
    for (size_t i = 0; i < subject->sets.n; i++)
        if (str_eq(vec_at(&subject->sets, struct set, i)->letter, letter))
            return vec_at(&subject->sets, struct set, i);
    return NULL;
}

struct set *subject_serving(const struct subject *subject) {
    return subject_set(subject, subject->instance->serving);
}

const char *subject_letter(const struct subject *subject, enum act_of of) {
    return of == OF_SERVING ? subject->instance->serving : SET_FIRST;
}

const struct act_row *subject_act(const struct subject *subject, const struct step *step) {
    const struct intent *intent = subject_intent(subject, step->generation);
    return act_find((enum walk)intent->walk, step->act);
}

enum document_kind subject_carrier(const struct subject *subject, const struct step *step) {
    return step->kind == STEP_VERIFY && subject_is_private(subject)
               ? DOCUMENT_WATCH
               : document_kind_of_step((enum step_kind)step->kind);
}

enum want subject_want(const struct subject *subject, const struct step *step) {
    return step->kind == STEP_VERIFY ? WANT_ON : subject_act(subject, step)->want;
}

void subject_set_changed(struct subject *subject, struct set *set) {
    struct instance *instance = subject->instance;
    row_touch(&set->change);
    if (!str_eq(set->letter, instance->serving))
        return;
    instance->node_id = set->node_id;
    instance->port = set->port;
    instance->images = set->images;
    instance->commits = set->commits;
    row_touch(&instance->change);
}
