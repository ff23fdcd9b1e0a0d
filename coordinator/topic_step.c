#include "coordinator/topic_step.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"
#include "coordinator/authority.h"
#include "coordinator/republish.h"
#include "coordinator/rights.h"
#include "coordinator/topics.h"
#include "io/kadmin.h"
#include "io/kprod.h"
#include "io/pg.h"
#include "sql/queries.h"

#include <stdatomic.h>
#include <stdlib.h>

#define LOOK_US (5 * CLOCK_S)   /* for rows that another process wrote */
#define CHECK_US (30 * CLOCK_S) /* whether the broker still has what it had */
#define MISSED_US CLOCK_S       /* ... when somebody says that it has not */
#ifdef FAULTS                   /* all rights, as rows have them */
#define SWEEP_US (10 * CLOCK_S)
#else
#define SWEEP_US (300 * CLOCK_S)
#endif
/* Who stands still in its turn loses it. */
#define STEP_SETTINGS PG_PINNED_PLANS "statement_timeout=30s idle_in_transaction_session_timeout=30s"
#define EVENTS_S (30 * 86400) /* as long as their topic keeps them */

struct topic_step {
    const char *database_url;
    struct broker broker;
    void (*wake_clock)(void *arg);
    void *arg;
    struct loop *loop;
    int64_t checked_at;
    unsigned lost; /* what must be published again, once its topics are there */
    struct pg *pg;
    struct kadmin *kadmin;
    int64_t swept_at;   /* all rights were looked at */
    atomic_bool missed; /* the broker lacks something: it is looked at before its time */
};

struct there {
    struct arena *arena;
    struct vec names; /* const char * */
};

static void note_topic(void *arg, const char *topic) {
    struct there *there = arg;
    *vec_add(there->arena, &there->names, const char *) = arena_strdup(there->arena, topic);
}

static bool has(const struct there *there, const char *name) {
    for (size_t i = 0; i < there->names.n; i++)
        if (str_eq(*vec_at(&there->names, const char *, i), name))
            return true;
    return false;
}

static int make_fixed(struct topic_step *step, const struct there *there, struct err *err) {
    for (int i = 0; i < topic_rows_n; i++) {
        bool made = false;
        if (has(there, topic_rows[i].name))
            continue;
        if (kadmin_make_topic(step->kadmin, topic_rows[i].name, topic_rows[i].partitions,
                              topic_rows[i].settings, &made, err) < 0)
            return -1;
        if (made)
            step->lost = REPUBLISH_ALL; /* at the very first start there is nothing to publish */
    }
    return 0;
}

/* What one node, or with NULL all of them and our programs, may do. */
static int follow_rows(struct topic_step *step, const char *topic, struct arena *arena, bool *ret_revoked,
                       struct err *err) {
    struct pg_params params = {.arena = arena};
    struct vec wanted = {0}, principals = {0};
    char name[PRINCIPAL_SIZE];
    size_t changes = 0;
    pg_params_text(&params, topic);
    cleanup_result PGresult *res = pg_run(step->pg, query_nodes_rights, &params, err);
    if (!res)
        return -1;
    for (int row = 0; row < PQntuples(res); row++) {
        const struct rights_node node = {.id = pg_uuid(res, row, 0),
                                         .enrolment = pg_int(res, row, 1),
                                         .roles = (unsigned)pg_int(res, row, 2),
                                         .revoked = pg_bool(res, row, 3),
                                         .private_plane = pg_uuid(res, row, 4),
                                         .tenants = pg_text(res, row, 5)};
        rights_of_node(&node, arena, &wanted);
        *ret_revoked = *ret_revoked || (topic && node.revoked);
        /* An enrolment that was followed by another has none any more. */
        for (int64_t n = node.enrolment - 1; topic && n <= node.enrolment; n++)
            *vec_add(arena, &principals, const char *) =
                arena_strdup(arena, authority_principal(node.id, n, name));
    }
    if (topic && !principals.n)
        return 0;
    if (!topic)
        rights_of_programs(arena, &wanted);
    if (rights_enforce(step->kadmin, &wanted, principals.items, principals.n, arena, &changes, err) < 0)
        return -1;
    if (changes && !topic && !step->lost) /* a broker that is new, or new again, has none */
        log_warn("the broker's rights were not what they should be, and are again", LOG_I("rights", changes));
    return 0;
}

/* In a turn of its own: two coordinators that read rows and then rights would undo what the other has just
 * done. */
static int give_rights(struct topic_step *step, const char *topic, struct arena *arena, bool *ret_revoked,
                       struct err *err) {
    if (pg_script(step->pg, "begin", err) < 0)
        return -1;
    cleanup_result PGresult *turn = pg_run(step->pg, query_rights_turn, NULL, err);
    if (turn && follow_rows(step, topic, arena, ret_revoked, err) == 0 &&
        pg_script(step->pg, "commit", err) == 0)
        return 0;
    pg_rollback(step->pg);
    return -1;
}

/* One request says what the broker has. What it lost, a topic or its whole disk, is made and filled again. */
static int check_broker(struct topic_step *step, struct arena *arena, struct err *err) {
    struct there there = {.arena = arena};
    struct vec lost = {0};
    int64_t since = clock_mono_us() - step->checked_at;
    if (step->checked_at && since < (atomic_load(&step->missed) ? MISSED_US : CHECK_US))
        return 0;
    bool missed = atomic_exchange(&step->missed, false);
    /* The names first: a topic that somebody makes meanwhile must not look lost. */
    cleanup_result PGresult *res = pg_run(step->pg, query_topics_names, NULL, err);
    if (!res || kadmin_topics(step->kadmin, note_topic, &there, err) < 0 || make_fixed(step, &there, err) < 0)
        return -1;
    for (int row = 0; row < PQntuples(res); row++)
        if (!has(&there, pg_text(res, row, 0)))
            *vec_add(arena, &lost, const char *) = arena_strdup(arena, pg_text(res, row, 0));
    bool sweep =
        missed || lost.n || step->lost || !step->swept_at || clock_mono_us() - step->swept_at > SWEEP_US;
    if (step->broker.ca && sweep) {
        if (give_rights(step, NULL, arena, &missed, err) < 0)
            return -1;
        step->swept_at = clock_mono_us();
    }
    if (lost.n) {
        struct pg_params params = {.arena = arena};
        pg_params_texts(&params, lost.items, lost.n);
        cleanup_result PGresult *marked = pg_run(step->pg, query_topics_lost, &params, err);
        if (!marked)
            return -1;
        step->lost |= REPUBLISH_DOCUMENTS;
        log_error("the broker has lost topics; they are made and filled again", LOG_I("topics", lost.n));
    }
    step->checked_at = clock_mono_us();
    return 0;
}

static int fill_again(struct topic_step *step, struct err *err) {
    if (!step->lost)
        return 0;
    for (unsigned part = 1; part <= REPUBLISH_ALL;
         part <<= 1) { /* what is done is not done again when the next fails */
        int64_t rows = 0;
        if (!(step->lost & part))
            continue;
        if (republish(step->pg, part, EVENTS_S, &rows, err) < 0)
            return -1;
        if (rows)
            log_warn("published again", LOG_I("rows", rows));
        step->lost &= ~part;
    }
    step->wake_clock(step->arg);
    return 0;
}

/* A fetch that waits was let in before its node was revoked: a record ends it. */
static int wake_reader(struct topic_step *step, const char *topic, struct err *err) {
    struct kprod *kprod = kprod_open(&step->broker, "fairlead-topics", NULL, NULL, err);
    int rc = kprod ? kprod_send(kprod, topic, 0, "wake", 4, NULL, 0, NULL, 0, err) : -1;
    if (rc == 0 && !kprod_flush(kprod, 5000))
        rc = err_set(err, ERR_RETRY, "kafka topic \"%s\": a record was not taken", topic);
    kprod_close(kprod);
    return rc;
}

static int make_one(struct topic_step *step, const char *topic, int64_t wanted, struct arena *arena,
                    struct err *err) {
    struct pg_params params = {.arena = arena};
    bool revoked = false;
    if (kadmin_make_topic(step->kadmin, topic, 1, topic_node_settings, NULL, err) < 0 ||
        (step->broker.ca && give_rights(step, topic, arena, &revoked, err) < 0) ||
        (revoked && wake_reader(step, topic, err) < 0) || fault_check(FAULT_RIGHTS_GIVEN, err) < 0)
        return -1;
    pg_params_text(&params, topic);
    pg_params_int(&params, wanted);
    /* The node is ready, and what waits for room may find it: one statement. */
    PGresult *res = pg_run(step->pg, query_topics_ready, &params, err);
    PQclear(res);
    step->wake_clock(step->arg);
    return res ? 0 : -1;
}

static int make_wanted(struct topic_step *step, struct err *err) {
    struct arena arena = {0};
    if (!pg_is_usable(step->pg)) {
        pg_close(step->pg);
        step->pg = pg_open(step->database_url, STEP_SETTINGS, err);
    }
    if (!step->kadmin)
        step->kadmin = kadmin_open(&step->broker, "fairlead-topics", err);
    if (!step->pg || !step->kadmin)
        return -1;
    int rc = check_broker(step, &arena, err);
    cleanup_result PGresult *private = rc == 0 ? pg_run(step->pg, query_topics_private, NULL, err) : NULL;
    cleanup_result PGresult *res = private ? pg_run(step->pg, query_topics_unready, NULL, err) : NULL;
    if (!res)
        rc = -1;
    for (int row = 0; rc == 0 && row < PQntuples(res); row++)
        rc = make_one(step, pg_text(res, row, 0), pg_int(res, row, 1), &arena, err);
    if (rc == 0)
        rc = fill_again(step, err);
    arena_release(&arena);
    return rc;
}

static int64_t turn(const struct loop *loop, void *arg) {
    struct err err = {0};
    (void)loop;
    struct topic_step *step = arg;
    if (make_wanted(step, &err) == 0)
        return atomic_load(&step->missed) ? MISSED_US : LOOK_US;
    log_warn("topics", LOG_S("error", err.text));
    kadmin_close(mem_steal(step->kadmin)); /* it has gone through an outage (io/kprod.h) */
    return CLOCK_S;
}

void topic_step_look(struct topic_step *step) {
    if (!atomic_exchange(&step->missed, true))
        loop_wake(step->loop);
}

void topic_step_wake(struct topic_step *step) {
    loop_wake(step->loop);
}

struct topic_step *topic_step_start(const char *database_url, const struct broker *broker,
                                    void (*wake_clock)(void *arg), void *arg, struct err *err) {
    struct topic_step *step = mem_alloc(sizeof *step);
    step->database_url = database_url;
    step->broker = *broker;
    step->wake_clock = wake_clock;
    step->arg = arg;
    step->loop = loop_start(turn, step, err);
    if (step->loop)
        return step;
    free(step);
    return NULL;
}

void topic_step_stop(struct topic_step *step) {
    if (!step)
        return;
    loop_stop(step->loop);
    kadmin_close(step->kadmin);
    pg_close(step->pg);
    free(step);
}
