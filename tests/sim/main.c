/* usage: sim SEEDS [FIRST]    runs so many worlds; prints the first failing seed and its history, exit 1. */
#include "base/clock.h"
#include "base/json.h"
#include "tests/sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS 1500
#define QUIET_PERIODS 12

uint64_t world_random(struct world *w, uint64_t below) {
    w->rnd ^= w->rnd << 13; /* xorshift64 */
    w->rnd ^= w->rnd >> 7;
    w->rnd ^= w->rnd << 17;
    return below ? (w->rnd >> 11) % below : 0;
}

void world_note(struct world *w, const char *fmt, ...) {
    va_list ap;
    if (w->history_n + 300 > sizeof w->history)
        return;
    w->history_n += (size_t)snprintf(w->history + w->history_n, 40, "%10.3f ",
                                     (double)(w->now % (1000 * CLOCK_DAY)) / 1e6);
    va_start(ap, fmt);
    int n = vsnprintf(w->history + w->history_n, 240, fmt, ap);
    va_end(ap);
    w->history_n += (size_t)(n < 240 ? n : 239);
    w->history[w->history_n++] = '\n';
}

void world_break(struct world *w, const char *what) {
    if (w->broken)
        return;
    w->broken = what;
    world_note(w, "BROKEN: %s", what);
}

static const char spec[] =
    "{\"title\":\"App\",\"summary\":\"An "
    "app.\",\"version\":\"1\",\"images\":{\"web\":{\"repository\":\"app\",\"ref\":\"main\",\"path\":\"web\"}}"
    ","
    "\"services\":{\"web\":{\"image\":\"web\",\"memory_share\":100,\"cpu_share\":100}},"
    "\"health\":{\"service\":\"web\",\"port\":8080,\"expect\":[{\"path\":\"/healthz\",\"identity\":true}]}}";

/* Half of the worlds follow their sources, the others have them pinned. */
static struct release *make_release(uint64_t seed, struct err *err) {
    cleanup_json json_t *json = json_loads(spec, 0, NULL);
    if (seed % 2)
        (void)json_object_set_new(json_object_get(json_object_get(json, "images"), "web"), "follow",
                                  json_true());
    return release_parse((struct uuid){{9}}, "app", NULL, json, "", err);
}

void world_init(struct world *w, uint64_t seed) {
    struct err err = {0};
    memset(w, 0, sizeof *w);
    w->rnd = seed * 0x9e3779b97f4a7c15u + 1;
    w->now = INT64_C(1000) * CLOCK_DAY;
    w->faults = true;
    w->settings = (struct settings){.base = "base@sha256:00", .dns_ttl_s = 60, .name_hold_s = 600};
    w->release = make_release(seed, &err);
    cleanup_json json_t *nothing =
        json_pack("{s:s, s:s, s:s, s:b}", "title", "Noop", "summary", "Nothing.", "version", "1", "noop", 1);
    w->noop = release_parse((struct uuid){{8}}, "noop", NULL, nothing, "", &err);
    if (!w->release || !w->noop) {
        (void)fprintf(stderr, "sim: %s\n", err.text);
        exit(2);
    }
    w->plane = (struct plane){.id = {{2}},
                              .name = "main",
                              .mode = seed % 3 ? "shared" : "private", /* a customer's own network */
                              .domain = "test.example",
                              .scheme = "http",
                              .public_port = 80};
    for (int i = 0; i < NODES; i++) {
        static const char *const names[NODES] = {"edge", "one", "two", "three"};
        w->nodes[i].row = (struct node){.id = {{3, (uint8_t)(i + 1)}},
                                        .plane_id = w->plane.id,
                                        .name = names[i],
                                        .address = "10.0.0.1",
                                        .arch = "amd64",
                                        .roles = i ? ROLE_HOST : ROLE_EDGE | ROLE_PROBER,
                                        .ready = true,
                                        .cpu_milli = 4000,
                                        .memory_mb = 200,
                                        .disk_mb = 1000,
                                        .port_low = 20000,
                                        .port_high = 20009};
        w->nodes[i].stream.b[2] = (uint8_t)(i + 1);
    }
}

void world_release(struct world *w) {
    release_free(w->release);
    release_free(w->noop);
    arena_release(&w->arena);
}

static bool is_busy(const struct world *w) {
    return w->outbox.n || w->orders.n || w->reports.n || w->queues[BY_REQUEST].n || w->queues[BY_REPORT].n;
}

void world_step(struct world *w) {
    link_pass(w);
    switch (world_random(w, w->faults ? 16 : 12)) {
    case 0:
        if (w->faults || !is_busy(w)) /* whoever is well is in time */
            w->now += (int64_t)world_random(w, 40) * CLOCK_S;
        break;
    case 1:
    case 2:
        world_clock(w);
        break;
    case 3:
    case 4:
        world_relay(w);
        break;
    case 5:
        if (w->orders.n)
            world_order(w, world_random(w, w->orders.n));
        break;
    case 6:
    case 7:
        world_node(w, (int)world_random(w, NODES));
        break;
    case 8:
        if (w->reports.n)
            world_ingest(w, world_random(w, w->reports.n));
        break;
    case 9:
        world_engine(w, BY_REQUEST);
        break;
    case 10:
    case 11:
        world_engine(w, BY_REPORT);
        break;
    case 12:
    case 13:
        world_request(w);
        break;
    case 14:
        world_fault(w);
        break;
    case 15:
        if (world_random(w, 10) == 0)
            w->now += 31 * CLOCK_DAY; /* trials end */
        break;
    }
    world_check(w);
}

static bool is_idle(const struct world *w) {
    if (is_busy(w))
        return false;
    for (int n = 0; n < NODES; n++) {
        if (w->nodes[n].read < w->nodes[n].topic.n)
            return false;
        for (int i = 0; i < w->instances_n; i++)
            for (int k = 0; k < DOCUMENT_KIND_COUNT; k++)
                if (w->nodes[n].held[i][k].revision && !w->nodes[n].held[i][k].applied)
                    return false;
    }
    for (int i = 0; i < w->instances_n; i++)
        for (size_t s = 0; s < w->instances[i].steps.n; s++) {
            const struct step *step = vec_at(&w->instances[i].steps, struct step, s);
            if (step->state == STEP_OPEN && step->kind != STEP_PLACE)
                return false;
        }
    for (size_t i = 0; i < w->timers.n; i++) {
        const struct timer *timer = vec_at(&w->timers, struct timer, i);
        if (timer->kind != TIMER_EXPIRE && timer->due_at <= w->now)
            return false;
    }
    return true;
}

/* What is left, for the history of a world that never empties. */
static void note_pending(struct world *w) {
    world_note(w, "outbox %zu, orders %zu, reports %zu, requests %zu, inputs %zu", w->outbox.n, w->orders.n,
               w->reports.n, w->queues[BY_REQUEST].n, w->queues[BY_REPORT].n);
    for (int i = 0; i < w->instances_n; i++)
        for (size_t s = 0; s < w->instances[i].steps.n; s++) {
            const struct step *step = vec_at(&w->instances[i].steps, struct step, s);
            if (step->state == STEP_OPEN)
                world_note(w, "open: instance %d (%s, running %lld) step %s of %lld, attempt %lld, next %.0f",
                           i, state_rows[w->instances[i].row.state].name,
                           (long long)w->instances[i].row.running, step_rows[step->kind].name,
                           (long long)step->generation, (long long)step->attempt,
                           (double)step->next_at / 1e6);
        }
    for (size_t i = 0; i < w->works.n; i++) {
        const struct work *work = vec_at(&w->works, struct work, i);
        world_note(w, "work %.20s: state %d, attempt %lld", work->key, work->state, (long long)work->attempt);
    }
    for (int n = 0; n < NODES; n++)
        for (int i = 0; i < w->instances_n; i++)
            for (int k = 0; k < DOCUMENT_KIND_COUNT; k++)
                if (w->nodes[n].held[i][k].revision && !w->nodes[n].held[i][k].applied)
                    world_note(w, "node %d has not applied %d of instance %d", n, k, i);
}

bool world_drain(struct world *w) {
    w->faults = false;
    world_note(w, "the faults stop");
    link_mend_all(w);
    for (int n = 0; n < NODES; n++) {
        world_hear(w, n, "ok");
        world_inventory(w, n);
    }
    /* Watches go on for ever: what they find must be mended within a few of their periods, also what a
     * stranger does when all is quiet. */
    for (int i = 0, periods = 0; i < 200000 && !w->broken; i++) {
        world_step(w);
        if (i % 50 != 0 || !is_idle(w))
            continue;
        w->calm = true;
        if (periods++ == QUIET_PERIODS)
            return true;
        bool last = periods >=
                    QUIET_PERIODS - 1; /* what failed is asked for once more, and nothing stands in its way */
        if (last)
            world_retry_all(w);
        if (periods % 2 && !last)
            world_drift(w);
        for (int k = 0; k < 12 && periods % 2 == 0 && !last; k++)
            world_request(w); /* what runs is asked something too */
        world_watch_again(w);
    }
    note_pending(w);
    return false;
}

static bool run(struct world *w, uint64_t seed) {
    world_init(w, seed);
    for (int i = 0; i < EVENTS && !w->broken; i++)
        world_step(w);
    if (!w->broken && !world_drain(w))
        world_break(w, "pending work never empties");
    if (!w->broken)
        world_check_end(w);
    return !w->broken;
}

int main(int argc, char **argv) {
    uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : 100,
             first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    struct world *w = mem_alloc(sizeof *w);
    unsigned long long ends[STATE_COUNT] = {0}, instances = 0, builds = 0;
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        if (!run(w, seed)) {
            printf("%s\nseed %llu: %s\nagain: sim 1 %llu\n", w->history, (unsigned long long)seed, w->broken,
                   (unsigned long long)seed);
            return 1;
        }
        for (int i = 0; i < w->instances_n; i++)
            ends[w->instances[i].row.state]++;
        instances += (unsigned long long)w->instances_n;
        builds += (unsigned long long)w->builds;
        world_release(w);
    }
    printf("%llu seeds, %llu instances, %llu builds; at the end", (unsigned long long)seeds, instances,
           builds);
    for (int s = 0; s < STATE_COUNT; s++)
        printf("%s %llu %s", s ? "," : "", ends[s], state_rows[s].name);
    printf("\n");
    free(w);
    return 0;
}
