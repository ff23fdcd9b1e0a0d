/* How it goes: the fleet at a glance, metrics, and what is wrong with what Fairlead stands on. */
#include "base/clock.h"
#include "base/metrics.h"
#include "base/str.h"
#include "coordinator/api/api.h"
#include "coordinator/topics.h"
#include "io/kcons.h"
#include "io/redis.h"
#include "sql/queries.h"

#include <stdio.h>

static void status(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    cleanup_result PGresult *res = pg_run(pg, query_status, NULL, &err);
    if (res)
        api_answer(call->request, 200, mem_strdup(pg_text(res, 0, 0)));
    else
        api_refuse_error(call->request, &err);
}

void status_get(struct api_call *call) {
    api_at_desk(call, status);
}

/* ---- metrics ---- */

static const struct {
    const char *name;
    enum metric metric;
} gauges[] = {
    {"fairlead_instances", METRIC_INSTANCES},
    {"fairlead_instances_health", METRIC_HEALTH},
    {"fairlead_nodes", METRIC_NODES},
    {"fairlead_node_last_seen_seconds", METRIC_NODE_SEEN},
    {"fairlead_outbox_pending", METRIC_OUTBOX_PENDING},
    {"fairlead_outbox_held", METRIC_OUTBOX_HELD},
    {"fairlead_steps_stuck", METRIC_STUCK},
    {"fairlead_dead_letters", METRIC_DEAD_LETTERS},
    {"fairlead_trials_expiring", METRIC_TRIALS},
    {"fairlead_clock_held", METRIC_CLOCK_HELD},
};
#define GAUGES (sizeof gauges / sizeof *gauges)

static void metrics(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    cleanup_str struct str out = STR_INIT(1048576);
    cleanup_result PGresult *res = pg_run(pg, query_metrics, NULL, &err);
    for (size_t i = 0; i < GAUGES && res; i++)
        metric_clear(gauges[i].metric);
    for (int row = 0; res && row < PQntuples(res); row++)
        for (size_t i = 0; i < GAUGES; i++)
            if (str_eq(gauges[i].name, pg_text(res, row, 0)))
                metric_set(gauges[i].metric, pg_text(res, row, 1), pg_int(res, row, 2));
    metrics_print(&out, METRICS_COORDINATOR);
    struct httpd_reply reply = {
        .status = 200, .type = "text/plain; version=0.0.4", .body = str_text(&out), .body_n = out.n};
    httpd_answer(call->request, &reply);
}

void metrics_get(struct api_call *call) {
    api_at_desk(call, metrics);
}

/* ---- doctor ---- */

static void add(json_t *checks, const char *name, bool good, const char *what, const char *next) {
    (void)json_array_append_new(checks, json_pack("{s:s, s:b, s:s, s:s}", "check", name, "ok", good, "what",
                                                  what, "next", good ? "" : next));
}

static void check_rows(json_t *checks, PGresult *res, struct arena *arena) {
    int64_t known = 0, lanes = pg_int(res, 0, 1), held = pg_int(res, 0, 2), dead = pg_int(res, 0, 3),
            waiting = pg_int(res, 0, 7), idle = pg_int(res, 0, 8);
    const char *silent = pg_text(res, 0, 5), *missing = pg_text(res, 0, 6);
    while (sql_migrations[known].name)
        known++;
    add(checks, "migrations", pg_int(res, 0, 0) == known,
        arena_printf(arena, "%lld of %lld are applied", (long long)pg_int(res, 0, 0), (long long)known),
        "fairlead-coordinator migrate, with the version that runs");
    add(checks, "relay", lanes >= LANES,
        arena_printf(arena, "%lld of %d lanes have an owner", (long long)lanes, LANES),
        "start a coordinator that relays: fairlead-coordinator run, or relay");
    add(checks, "outbox", waiting <= 10000, arena_printf(arena, "%lld rows wait", (long long)waiting),
        "is the broker there? its rows go on by themselves");
    add(checks, "held records", held == 0, arena_printf(arena, "%lld", (long long)held),
        "select reason, topic from outbox_held: the broker will never take them as they are");
    add(checks, "dead letters", dead == 0, arena_printf(arena, "%lld", (long long)dead),
        "fairlead dead-letter list; retry or drop each when it is understood");
    add(checks, "clock", !pg_bool(res, 0, 4),
        pg_bool(res, 0, 4) ? "it jumped: timers are held" : "runs evenly",
        "fairlead clock get, then fairlead clock accept");
    add(checks, "nodes", !*silent, *silent ? arena_printf(arena, "silent: %s", silent) : "all are heard of",
        "look at the machine and its fairlead-worker; its apps go on without us");
    add(checks, "roles", !*missing,
        *missing ? arena_printf(arena, "nobody has %s", missing) : "every plane has all",
        "start a worker with that role: fairlead node create, invite, fairlead-worker enrol");
    add(checks, "transactions", idle < 60,
        arena_printf(arena, "the oldest that idles is %lld s old", (long long)idle),
        "somebody holds a transaction open: select * from pg_stat_activity");
}

static void check_kafka(json_t *checks, const char *brokers, struct arena *arena) {
    struct err err = {0};
    int64_t lag = 0;
    int rc = kcons_group_lag(brokers, "fairlead-ingest", TOPIC_REPORTS, topic_partitions(TOPIC_REPORTS), &lag,
                             &err);
    add(checks, "kafka", rc == 0, rc == 0 ? "the broker answers" : arena_strdup(arena, err.text),
        "start the broker; nothing is lost meanwhile");
    if (rc == 0)
        add(checks, "ingest", lag < 10000, arena_printf(arena, "%lld reports wait", (long long)lag),
            "start a coordinator that ingests, or another one beside it");
}

static void check_redis(json_t *checks, const char *at, struct arena *arena) {
    struct err err = {0};
    struct redis *redis = *at ? redis_open(at) : NULL;
    if (!redis)
        add(checks, "redis", true, "none is configured: presence goes to PostgreSQL", "");
    else if (redis_ping(redis, &err) == 0)
        add(checks, "redis", true, "answers", "");
    else
        add(checks, "redis", false, arena_strdup(arena, err.text),
            "start it; without it only presence is less fresh");
    redis_close(redis);
}

static void doctor(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    struct arena *arena = &call->request->arena;
    cleanup_json json_t *checks = json_array();
    int64_t began = clock_mono_us();
    cleanup_result PGresult *res = pg_run(pg, query_doctor, NULL, &err);
    add(checks, "postgresql", res != NULL,
        res ? arena_printf(arena, "answers in %lld ms", (long long)((clock_mono_us() - began) / 1000))
            : arena_strdup(arena, err.text),
        "is it up, and is the database of this version (fairlead-coordinator migrate)?");
    if (res)
        check_rows(checks, res, arena);
    check_kafka(checks, call->api->brokers, arena);
    check_redis(checks, call->api->redis, arena);
    add(checks, "base image", *call->api->base != '\0', *call->api->base ? call->api->base : "none is set",
        "set the coordinator's option base to repository@sha256:... of the registry; builds need it");
    cleanup_json json_t *body = json_pack("{s:O}", "items", checks);
    api_answer(call->request, 200, json_text(body));
}

void doctor_get(struct api_call *call) {
    api_at_desk(call, doctor);
}
