#include "model/health.h"

#include "base/json.h"
#include "base/str.h"

static bool is_silent(const struct node *node) {
    return node && str_eq(node->health, "unknown");
}

/* A second set may fail without harm: only the one that serves counts. */
static const char *letter_of(const struct subject *subject, int kind) {
    return subject_letter(subject, document_rows[kind].of);
}

/* What was last said of the present revision; NULL: nothing yet. */
static const char *said_of(const struct subject *subject, int kind) {
    const struct document *document = subject_document(subject, kind, letter_of(subject, kind));
    return document && document->observed == document->revision ? document->condition : NULL;
}

/* It works; but its data has outgrown what was reserved for it, and one day there is no room. */
static const char *judge_disk(const struct instance *instance, struct arena *arena, const char **reason) {
    if (!instance->disk_mb || instance->disk_used_mb <= instance->disk_mb)
        return "ok";
    *reason = arena_printf(arena, "Its data takes %lld MB, more than the %lld MB of its size.",
                           (long long)instance->disk_used_mb, (long long)instance->disk_mb);
    return "degraded";
}

static const char *judge(const struct subject *subject, struct arena *arena, const char **reason) {
    const struct set *serving = subject_serving(subject);
    const struct node *const nodes[] = {serving ? serving->host : NULL, subject->edge, subject->prober};
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        if (is_silent(nodes[i])) {
            *reason =
                arena_printf(arena, "The node \"%s\" has not been heard of for a while.", nodes[i]->name);
            return "unknown";
        }
    const char *watch = said_of(subject, DOCUMENT_WATCH);
    if (str_eq(watch, "failing"))
        return "failing";
    if (!str_eq(said_of(subject, DOCUMENT_STACK), "failing") &&
        !str_eq(said_of(subject, DOCUMENT_ROUTE), "failing"))
        return judge_disk(subject->instance, arena, reason);
    /* Something is being mended; whether it can be reached meanwhile, the watch says. */
    return str_eq(watch, "healthy") ? "degraded" : "failing";
}

void health_refresh(struct subject *subject, struct decision *decision, const char *reason) {
    struct instance *instance = subject->instance;
    const struct intent *intent = subject_running(subject);
    if (instance->state != STATE_RUNNING || (intent && intent->state == INTENT_RUNNING))
        return; /* what a walk passes through on its way says nothing */
    const char *why = reason ? reason : "", *health = judge(subject, decision->arena, &why);
    bool is_ok = str_eq(health, "ok"), changed = !str_eq(instance->health, health);
    if (is_ok)
        why = "";
    /* What keeps it so may be another thing by now; only a change is an event. */
    if (!changed && (!*why || str_eq(instance->health_reason, why)))
        return;
    if (changed && (instance->health || !is_ok))
        decision_event(subject, decision, EVENT_HEALTH_CHANGED,
                       json_pack("{s:s, s:s}", "health", health, "reason", why));
    instance->health = health;
    instance->health_reason = *why ? why : NULL;
    row_touch(&instance->change);
}

const char *health_reason(const struct subject *subject, const struct document_report *report) {
    bool cut = report->kind == DOCUMENT_WATCH && str_eq(report->condition, "failing") &&
               str_eq(report->problem.cls, "no_connection") &&
               str_eq(said_of(subject, DOCUMENT_STACK), "healthy");
    /* Its host tells of a container that ended only after it has looked: who is first knows half of it. */
    return cut ? "The edge cannot connect to the app, which ran well when its host last looked: either it "
                 "has just "
                 "ended, or the link between them is cut."
               : report->problem.text;
}

bool health_wants_repair(const struct subject *subject, const struct document_report *report) {
    const struct intent *intent = subject_running(subject);
    return report->kind == DOCUMENT_WATCH && str_eq(report->condition, "failing") &&
           (str_eq(report->problem.cls, "wrong_address") || str_eq(report->problem.cls, "wrong_marker")) &&
           subject->instance->state == STATE_RUNNING && intent && intent->state != INTENT_RUNNING;
}
