#include "coordinator/clock.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"
#include "coordinator/backlog.h"
#include "coordinator/heartbeat.h"
#include "coordinator/key_sets.h"
#include "coordinator/presence.h"
#include "coordinator/sweep.h"
#include "sql/queries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLEEP_MAX_US (5 * CLOCK_S)
#define DUE_MAX_US (2 * CLOCK_S)
#define SWEEP_US (3600 * CLOCK_S)
#define SIGN_US (60 * CLOCK_S)
#define BEAT_US CLOCK_S /* whose heartbeat is due, and where a rotation of keys stands */

struct clock {
    struct clock_conf conf;
    struct presence *presence;
    char boot[40]; /* of this machine */
    int64_t marked_at, swept_at, signed_at, beat_at;
    struct backlog backlog;
    struct loop *loop;
    struct pg *pg;
};

static struct input *add_input(struct arena *arena, struct vec *inputs, enum input_kind kind) {
    struct input *input = arena_new(arena, struct input);
    input->kind = kind;
    input->seed = uuid_seed(clock_wall_us());
    *vec_add(arena, inputs, struct input *) = input;
    return input;
}

static int find_timer(const char *name) {
    for (int i = 0; i < TIMER_KIND_COUNT; i++)
        if (str_eq(timer_kind_names[i], name))
            return i;
    return -1;
}

/* True (1): the clock has just been found to have jumped. */
static int look_for_jump(struct clock *clock, struct arena *arena, struct err *err) {
    struct pg_params params = {.arena = arena};
    pg_params_text(&params, clock->boot);
    pg_params_int(&params, clock_boot_us());
    cleanup_result PGresult *res = pg_run(clock->pg, query_clock_mark, &params, err);
    if (!res)
        return -1;
    clock->marked_at = clock_mono_us();
    if (PQntuples(res) == 0)
        return 0;
    log_error("the clock jumped: timers that stop or remove are held until \"fairlead clock accept\"",
              LOG_I("seconds", pg_int(res, 0, 0) / CLOCK_S));
    return 1;
}

static bool any_expires(PGresult *timers) {
    for (int row = 0; row < PQntuples(timers); row++)
        if (find_timer(pg_text(timers, row, 0)) == TIMER_EXPIRE)
            return true;
    return false;
}

/* Is anything due that waits for an answer to what the outbox may still hold? */
static bool any_waits(PGresult *timers, PGresult *steps) {
    bool waits = PQntuples(steps) > 0;
    for (int row = 0; row < PQntuples(timers) && !waits; row++)
        waits = find_timer(pg_text(timers, row, 0)) == TIMER_WORK;
    return waits;
}

/* Without works that were ordered while the outbox stands: a page of them would hide all other timers. */
static int read_due(struct clock *clock, bool *stands, struct arena *arena, PGresult **ret_timers,
                    PGresult **ret_steps, struct err *err) {
    for (;;) {
        bool without_works = *stands;
        struct pg_params params = {.arena = arena};
        pg_params_int(&params, without_works);
        *ret_timers = pg_run(clock->pg, query_timers_due, &params, err);
        *ret_steps = *ret_timers ? pg_run(clock->pg, query_steps_due, NULL, err) : NULL;
        if (!*ret_steps || (any_waits(*ret_timers, *ret_steps) &&
                            backlog_stands(&clock->backlog, clock->pg, stands, err) < 0))
            return -1;
        if (*stands == without_works)
            return 0;
        PQclear(mem_steal(*ret_timers));
        PQclear(mem_steal(*ret_steps));
    }
}

static int collect(struct clock *clock, bool *stands, struct arena *arena, struct vec *inputs,
                   struct err *err) {
    cleanup_result PGresult *timers = NULL;
    cleanup_result PGresult *steps = NULL;
    if (read_due(clock, stands, arena, &timers, &steps, err) < 0)
        return -1;
    /* Before anything is stopped: is it that late, or did the clock jump? */
    bool must_look = any_expires(timers) || clock_mono_us() - clock->marked_at > CLOCK_S;
    int jumped = must_look ? look_for_jump(clock, arena, err) : 0;
    if (jumped < 0)
        return -1;
    for (int row = 0; row < PQntuples(timers); row++) {
        int kind = find_timer(pg_text(timers, row, 0));
        if (kind < 0 || (jumped && kind == TIMER_EXPIRE))
            continue;
        struct input *input = add_input(arena, inputs, INPUT_TIMER);
        input->timer_kind = kind;
        input->timer_subject = arena_strdup(arena, pg_text(timers, row, 1));
        if (kind == TIMER_EXPIRE || kind == TIMER_INSTANCE || kind == TIMER_REFRESH)
            (void)uuid_parse(input->timer_subject, &input->instance_id);
    }
    for (int row = 0; row < PQntuples(steps) && !*stands; row++)
        add_input(arena, inputs, INPUT_DUE)->instance_id = pg_uuid(steps, row, 0);
    return 0;
}

/* Everything due, until nothing is, or for a while: more will be due at once then, but silence is looked for
 * between. Returns how long to sleep. */
static int64_t run_due(struct clock *clock, struct err *err) {
    bool stuck = false, stands = false;
    for (int64_t until = clock_mono_us() + DUE_MAX_US; clock_mono_us() < until;) {
        struct arena arena = {0};
        struct vec inputs = {0};
        size_t failed = 0;
        struct err unstored = {0}; /* the engine has said it */
        int rc = collect(clock, &stands, &arena, &inputs, err);
        if (rc == 0 && inputs.n)
            failed = engine_run_all(clock->conf.engine, inputs.items, inputs.n, &unstored);
        for (size_t i = 0; rc == 0 && i < inputs.n; i++)
            failed += (*vec_at(&inputs, struct input *, i))->refused != NULL;
        stuck = stuck || failed;
        log_debug(LOG_CLOCK, "what is due", LOG_I("inputs", inputs.n), LOG_I("not_stored", failed),
                  LOG_I("held", stands));
        arena_release(&arena);
        if (rc < 0)
            return -1;
        if (failed || !inputs.n)
            break;
    }
    int silent = 0;
    if (presence_find_silent(clock->presence, clock->pg, &clock->conf.broker, &silent, err) < 0)
        return -1;
    if (silent)
        return 0; /* their instances are due */
    cleanup_result PGresult *next = pg_run(clock->pg, query_next_due, NULL, err);
    if (!next)
        return -1;
    if (stuck || stands)
        return CLOCK_S;
    if (PQgetisnull(next, 0, 1))
        return SLEEP_MAX_US;
    int64_t us = pg_int(next, 0, 1);
    return us < 0 ? 0 : us > SLEEP_MAX_US ? SLEEP_MAX_US : us + 500;
}

static int64_t turn(const struct loop *loop, void *arg) {
    struct clock *clock = arg;
    struct err err = {0};
    int64_t us = -1;
    (void)loop;
    if (!pg_is_usable(clock->pg)) {
        pg_close(clock->pg);
        clock->pg = pg_open(clock->conf.database_url, PG_PINNED_PLANS "statement_timeout=10s", &err);
    }
    if (clock->pg)
        us = run_due(clock, &err);
    if (us >= 0 && clock_mono_us() - clock->swept_at > SWEEP_US) {
        clock->swept_at = clock_mono_us();
        if (sweep_run(clock->pg, clock->conf.keep_days, NULL, &err) < 0)
            us = -1;
    }
    if (us >= 0 && clock_mono_us() - clock->beat_at > BEAT_US) {
        clock->beat_at = clock_mono_us();
        if (key_sets_step(clock->pg, clock->conf.signing, clock->conf.heartbeat_s, &err) < 0 ||
            heartbeat_send(clock->pg, signing_key(clock->conf.signing), clock->conf.heartbeat_s, &err) < 0)
            us = -1;
    }
    if (us >= 0 && clock_mono_us() - clock->signed_at > SIGN_US) {
        clock->signed_at = clock_mono_us();
        if (audit_sign_heads(clock->pg, signing_key(clock->conf.signing), clock->conf.heads_file, &err) < 0)
            us = -1;
    }
    if (us >= 0)
        return us;
    log_warn("clock", LOG_S("error", err.text));
    return CLOCK_S;
}

void clock_wake(struct clock *clock) {
    loop_wake(clock->loop);
}

static void read_boot(char out[40]) {
    cleanup_free char *text = NULL;
    if (file_read("/proc/sys/kernel/random/boot_id", 64, &text, NULL, NULL) == 0)
        (void)snprintf(out, 40, "%.*s", (int)strcspn(text, "\n"), text);
}

struct clock *clock_start(const struct clock_conf *conf, struct err *err) {
    struct clock *clock = mem_alloc(sizeof *clock);
    clock->conf = *conf;
    clock->swept_at = clock_mono_us() - SWEEP_US + 60 * CLOCK_S; /* not while everything starts */
    clock->presence = presence_open(conf->redis);
    read_boot(clock->boot);
    clock->loop = loop_start(turn, clock, err);
    if (clock->loop)
        return clock;
    free(clock);
    return NULL;
}

void clock_stop(struct clock *clock) {
    if (!clock)
        return;
    loop_stop(clock->loop);
    presence_close(clock->presence);
    pg_close(clock->pg);
    free(clock);
}
