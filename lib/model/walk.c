#include "model/walk.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "model/health.h"
#include "model/step.h"

static void set_state(struct subject *subject, struct decision *decision, enum state state) {
    struct instance *instance = subject->instance;
    instance->state = (int)state;
    instance->updated_at = decision->now;
    row_touch(&instance->change);
}

static struct step *add_step(struct subject *subject, struct decision *decision, const struct intent *intent,
                             const struct act_row *act, const char *letter, const char *part) {
    struct step *step = vec_add(decision->arena, &subject->steps, struct step);
    *step = (struct step){
        .change = ROW_NEW,
        .tenant_id = intent->tenant_id,
        .instance_id = intent->instance_id,
        .generation = intent->generation,
        .kind = (int)act->step,
        .state = STEP_WAITING,
        .act = act->name,
        .letter = letter,
        .part = part,
    };
    return step;
}

/* Its document was refreshed since, and no node has said anything of that yet. */
static bool is_outdated(const struct subject *subject, const struct step *step) {
    const struct document *document =
        subject_document(subject, (int)subject_carrier(subject, step), step->letter);
    return document && document->observed != document->revision;
}

/* What a parked step looked at is made again before it looks again: a build is mended in its source (which
 * commit that is must be asked), and a name may have gone astray since it was written, while nobody watched
 * it. */
static bool must_begin_again(const struct intent *intent, const struct vec *old, const struct step *step) {
    for (size_t i = 0; i < old->n; i++) {
        const struct step *parked = vec_at(old, struct step, i);
        bool looks = parked->kind == STEP_BUILD || parked->kind == STEP_VERIFY;
        if (looks && parked->state == STEP_PARKED && str_eq(parked->part, step->part) &&
            act_is_after(act_find((enum walk)intent->walk, parked->act), step->act))
            return true;
    }
    return false;
}

/* What is done stays done; what parked begins again. */
static void copy_steps(struct subject *subject, struct decision *decision, const struct intent *intent,
                       const struct vec *old) {
    for (size_t i = 0; i < old->n; i++) {
        const struct step *was = vec_at(old, struct step, i);
        struct step *step = add_step(subject, decision, intent, act_find((enum walk)intent->walk, was->act),
                                     was->letter, was->part);
        if (was->state != STEP_DONE || is_outdated(subject, was) || must_begin_again(intent, old, was))
            continue;
        step->state = STEP_DONE;
        step->attempt = was->attempt;
        step->started_at = was->started_at;
        step->ended_at = was->ended_at;
        step->facts = was->facts;
        step->work_key = was->work_key;
    }
}

static void make_steps(struct subject *subject, struct decision *decision, const struct intent *intent) {
    const struct release *release = subject->release;
    for (int i = 0; i < act_rows_n; i++) {
        const struct act_row *act = &act_rows[i];
        if ((int)act->walk != intent->walk || (act->needs & release->needs) != act->needs)
            continue;
        const char *letter = subject_letter(subject, act->of);
        if (act->needs != NEED_IMAGE) {
            add_step(subject, decision, intent, act, letter, "");
            continue;
        }
        for (size_t n = 0; n < release_images(release); n++)
            add_step(subject, decision, intent, act, letter,
                     arena_strdup(decision->arena, release_image_name(release, n)));
    }
}

/* The first of an instance; one of a release that puts nothing on a machine has none. */
static void make_set(struct subject *subject, struct decision *decision) {
    const struct instance *instance = subject->instance;
    if (!(subject->release->needs & (NEED_STACK | NEED_IMAGE)) || subject_serving(subject))
        return;
    struct set *set = vec_add(decision->arena, &subject->sets, struct set);
    *set = (struct set){
        .change = ROW_NEW,
        .tenant_id = instance->tenant_id,
        .instance_id = instance->id,
        .release_id = instance->release_id,
        .letter = instance->serving,
        .state = SET_PLANNED,
    };
}

static void arm_expiry(struct subject *subject, struct decision *decision) {
    char hex[UUID_HEX_SIZE];
    decision_timer(decision, TIMER_EXPIRE, uuid_hex(subject->instance->id, hex),
                   subject->instance->expires_at);
}

void walk_goes_on(struct subject *subject, struct decision *decision, const struct intent *intent) {
    enum state from = walk_rows[intent->walk].from;
    if (subject->instance->expires_at)
        arm_expiry(subject, decision); /* it may have come, and found nothing to end */
    row_touch(&subject->instance->change);
    if (from == STATE_COUNT || subject->instance->state != STATE_FAILED)
        return;
    subject->instance->problem = NULL;
    set_state(subject, decision, from);
}

/* The end that is asked for: `until` as it says ("never": 0, none), sooner or later; else so many days more.
 */
static int64_t asked_end(const struct instance *instance, const json_t *params, int64_t now) {
    const char *until = json_str(params, "until");
    int64_t end;
    if (until)
        return clock_parse(until, &end) ? end : 0;
    if (!instance->expires_at)
        return 0; /* it has no end: more time would give it one */
    return (instance->expires_at > now ? instance->expires_at : now) +
           json_int(params, "days", 30) * CLOCK_DAY;
}

static void extend(struct subject *subject, struct decision *decision, const struct intent *intent) {
    struct instance *instance = subject->instance;
    cleanup_json json_t *params = intent->params ? json_loads(intent->params, 0, NULL) : NULL;
    int64_t end = asked_end(instance, params, decision->now);
    char until[28];
    if (!end && !instance->expires_at)
        return;
    instance->expires_at = end;
    arm_expiry(subject, decision);
    struct document *stack = subject_document(subject, DOCUMENT_STACK, instance->serving);
    if (stack) /* it may say when it ends */
        document_refresh(subject, decision, stack);
    decision_event(subject, decision, EVENT_EXTENDED,
                   json_pack("{s:s?, s:I}", "until", end ? clock_text(end, until) : NULL, "generation",
                             (json_int_t)intent->generation));
}

static void start_intent(struct subject *subject, struct decision *decision, struct intent *intent) {
    struct instance *instance = subject->instance;
    const struct intent *before = subject_running(subject);
    struct vec old = subject->steps;
    intent->state = INTENT_RUNNING;
    intent->started_at = decision->now;
    row_touch(&intent->change);
    instance->running = intent->generation;
    for (size_t i = 0; i < old.n; i++)
        if (vec_at(&old, struct step, i)->change != ROW_KEPT)
            *vec_add(decision->arena, &subject->past, struct step) = *vec_at(&old, struct step, i);
    subject->steps = (struct vec){0};
    /* An end that failed, and is not due any more, is not tried again: the app runs. */
    bool extended = before && before->walk == WALK_EXPIRE && !instance_is_over(instance, decision->now);
    if (intent->kind == INTENT_RETRY && extended)
        intent->walk = WALK_START;
    else if (intent->kind == INTENT_RETRY && before)
        intent->walk = before->walk;
    if (intent->kind == INTENT_RETRY && before && !extended)
        copy_steps(subject, decision, intent, &old);
    else
        make_steps(subject, decision, intent);
    if (intent->walk == WALK_CREATE)
        make_set(subject, decision);
    if (intent->kind == INTENT_RETRY)
        walk_goes_on(subject, decision, intent);
    else
        instance->problem = NULL;
    if (intent->kind == INTENT_CREATE && instance->trial_days && subject->release->trial) {
        instance->expires_at = decision->now + instance->trial_days * CLOCK_DAY;
        arm_expiry(subject, decision);
    }
    if (intent->kind == INTENT_DELETE)
        set_state(subject, decision, STATE_DELETING);
}

/* An app that was extended meanwhile, or that never came to a machine, is left as it is. */
static bool is_worth_expiring(const struct subject *subject, const struct decision *decision) {
    bool made = !(subject->release->needs & NEED_STACK) ||
                subject_document(subject, DOCUMENT_STACK, subject->instance->serving);
    return made && instance_is_over(subject->instance, decision->now);
}

/* Without a walk: the last walk stays the one that a retry goes on with. */
static void end_at_once(struct subject *subject, struct decision *decision, struct intent *intent) {
    intent->state = INTENT_DONE;
    intent->started_at = intent->ended_at = decision->now;
    intent->walk = WALK_NONE;
    row_touch(&intent->change);
    row_touch(&subject->instance->change);
}

/* The next that waits; one that the state no longer allows is dropped, with an event that says so. */
static bool start_next(struct subject *subject, struct decision *decision) {
    for (;;) {
        struct intent *next = NULL;
        for (size_t i = 0; i < subject->intents.n; i++) {
            struct intent *intent = vec_at(&subject->intents, struct intent, i);
            if (intent->state == INTENT_QUEUED && (!next || intent->generation < next->generation))
                next = intent;
        }
        if (!next)
            return false;
        const struct cell_row *cell =
            cell_find((enum state)subject->instance->state, (enum intent_kind)next->kind);
        if (cell && next->kind == INTENT_EXPIRE && !is_worth_expiring(subject, decision))
            cell = NULL;
        if (cell &&
            next->kind == INTENT_EXTEND) /* before what it may start, and also where it starts nothing */
            extend(subject, decision, next);
        if (cell && cell->walk == WALK_NONE) {
            end_at_once(subject, decision, next);
            continue;
        }
        if (cell) {
            next->walk = (int)cell->walk;
            start_intent(subject, decision, next);
            return true;
        }
        next->state = INTENT_DROPPED;
        next->ended_at = decision->now;
        row_touch(&next->change);
        decision_event(subject, decision, EVENT_REQUEST_DROPPED,
                       json_pack("{s:s, s:s}", "request", intent_rows[next->kind].name, "state",
                                 state_rows[subject->instance->state].name));
    }
}

/* What one node is told by file goes out together: each word of it that is waited for would be a journey. A
 * name that shows an app which is not there yet does no harm; what proves it is waited for. */
static bool is_on_its_way(const struct subject *subject, const struct step *step) {
    const struct set *serving = subject_serving(subject);
    return subject_is_by_file(subject) && step->state == STEP_OPEN && serving &&
           uuid_eq(serving->node_id, subject->instance->edge_id) &&
           (step->kind == STEP_STACK || step->kind == STEP_ROUTE);
}

static bool prerequisites_done(const struct subject *subject, const struct act_row *act, const char *part) {
    for (size_t i = 0; i < subject->steps.n; i++) {
        const struct step *step = vec_at(&subject->steps, struct step, i);
        if (step->state == STEP_DONE || is_on_its_way(subject, step) || !act_is_after(act, step->act))
            continue;
        /* Steps of one image wait only for that image. */
        if (*part && *step->part && !str_eq(part, step->part))
            continue;
        return false;
    }
    return true;
}

static void release_room(struct subject *subject, struct decision *decision) {
    char hex[UUID_HEX_SIZE];
    struct instance *instance = subject->instance;
    decision_timer(decision, TIMER_EXPIRE, uuid_hex(instance->id, hex), 0);
    if (subject->name) {
        subject->name->free_at = decision->now + decision->settings->name_hold_s * CLOCK_S;
        subject->name->held = false;
        row_touch(&subject->name->change);
    }
    for (size_t i = 0; i < subject->sets.n; i++) {
        struct set *set = vec_at(&subject->sets, struct set, i);
        if (set->state == SET_PLACED)
            decision_timer(decision, TIMER_PLACE, uuid_hex(instance->plane_id, hex), decision->now);
        set->state = SET_GONE;
        row_touch(&set->change);
    }
}

static void finish_walk(struct subject *subject, struct decision *decision, struct intent *intent) {
    enum state end = walk_rows[intent->walk].end;
    intent->state = INTENT_DONE;
    intent->ended_at = decision->now;
    row_touch(&intent->change);
    if (end == STATE_COUNT)
        return;
    set_state(subject, decision, end);
    subject->instance->problem = NULL;
    subject->instance->health_reason = NULL;
    subject->instance->health = NULL; /* until health_refresh() below: it was just proved, or it is off */
    if (end == STATE_DELETED)
        release_room(subject, decision);
    decision_event(subject, decision, walk_rows[intent->walk].event,
                   json_pack("{s:I}", "generation", (json_int_t)intent->generation));
    health_refresh(subject, decision, NULL);
}

static void fail_walk(struct subject *subject, struct decision *decision, struct intent *intent,
                      const struct step *parked) {
    intent->state = INTENT_FAILED;
    intent->ended_at = decision->now;
    row_touch(&intent->change);
    subject->instance->problem = parked->problem;
    for (size_t i = 0; i < subject->steps.n; i++) {
        struct step *step = vec_at(&subject->steps, struct step, i);
        if (step->state != STEP_OPEN)
            continue;
        step->state = STEP_DROPPED;
        step->next_at = 0;
        row_touch(&step->change);
    }
    set_state(subject, decision, subject->instance->state == STATE_DELETING ? STATE_DELETING : STATE_FAILED);
    decision_event(subject, decision, EVENT_FAILED,
                   json_pack("{s:s, s:s, s:s}", "step", step_rows[parked->kind].name, "class",
                             parked->cls ? parked->cls : "", "reason",
                             parked->problem ? parked->problem : ""));
}

/* Opens what may begin; true when something was settled at once, or lets others begin, so that another look
 * is due. */
static bool open_steps(struct subject *subject, struct decision *decision, const struct intent *intent) {
    bool again = false;
    for (size_t i = 0; i < subject->steps.n; i++) {
        struct step *step = vec_at(&subject->steps, struct step, i);
        if (step->state != STEP_WAITING ||
            !prerequisites_done(subject, act_find((enum walk)intent->walk, step->act), step->part))
            continue;
        step_open(subject, decision, step);
        again = again || step->state == STEP_DONE || is_on_its_way(subject, step);
    }
    return again;
}

void walk_advance(struct subject *subject, struct decision *decision) {
    for (;;) {
        struct intent *intent = subject_running(subject);
        if (!intent || intent->state != INTENT_RUNNING) {
            if (!start_next(subject, decision))
                return;
            continue;
        }
        const struct step *parked = NULL;
        bool done = true;
        for (size_t i = 0; i < subject->steps.n; i++) {
            const struct step *step = vec_at(&subject->steps, struct step, i);
            done = done && step->state == STEP_DONE;
            if (step->state == STEP_PARKED && !parked)
                parked = step;
        }
        if (done)
            finish_walk(subject, decision, intent);
        else if (parked)
            fail_walk(subject, decision, intent, parked);
        else if (!open_steps(subject, decision, intent))
            return;
    }
}
