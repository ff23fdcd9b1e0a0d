/* What is wrong with what Fairlead stands on, and what to do about it. Whether it still writes, reads and
 * sends is judged by age: a process that lives and does nothing looks well otherwise. `status` shows what is
 * bad. */
#include "coordinator/api/doctor.h"

#include "base/clock.h"
#include "coordinator/topics.h"
#include "io/kcons.h"
#include "io/redis.h"
#include "sql/queries.h"

#define LATE_S 60 /* beyond which nobody waits for something that goes on by itself */

static void add(json_t *checks, const char *name, bool good, const char *what, const char *next) {
    (void)json_array_append_new(checks, json_pack("{s:s, s:b, s:s, s:s}", "check", name, "ok", good, "what",
                                                  what, "next", good ? "" : next));
}

/* Written, and taken back. */
static int try_write(struct pg *pg, struct err *err) {
    if (pg_script(pg, "begin", err) < 0)
        return -1;
    PGresult *written = pg_run(pg, query_write_check, NULL, err);
    PQclear(written);
    pg_rollback(pg);
    return written ? 0 : -1;
}

void doctor_check_vitals(json_t *checks, struct pg *pg, struct arena *arena) {
    struct err err = {0};
    int rc = try_write(pg, &err);
    add(checks, "writes", rc == 0, rc == 0 ? "rows can be written" : arena_strdup(arena, err.text),
        "PostgreSQL must take writes: is it a standby, set to read-only, or out of disk?");
    cleanup_result PGresult *res = pg_is_usable(pg) ? pg_run(pg, query_vitals, NULL, &err) : NULL;
    if (!res)
        return;
    int64_t lanes = pg_int(res, 0, 0), waits_s = pg_int(res, 0, 1), event_s = pg_int(res, 0, 2),
            heard_s = pg_int(res, 0, 3), late_s = pg_int(res, 0, 4), waiting = pg_int(res, 0, 5);
    add(checks, "relay", lanes >= LANES,
        arena_printf(arena, "%lld of %d lanes are served", (long long)lanes, LANES),
        "start a coordinator that relays: fairlead-coordinator run, or relay");
    add(checks, "outbox", waiting <= 10000 && waits_s < LATE_S,
        arena_printf(
            arena, "%lld rows wait, the oldest for %lld s; %s", (long long)waiting, (long long)waits_s,
            event_s < 0 ? "no event was sent yet"
                        : arena_printf(arena, "an event was last sent %lld s ago", (long long)event_s)),
        "is the broker there? its rows go on by themselves");
    int64_t read = pg_int(res, 0, 6), partitions = topic_partitions(TOPIC_REPORTS);
    add(checks, "reports", heard_s < LATE_S && read >= partitions,
        arena_printf(arena, "%lld of %lld partitions are read; %s", (long long)read, (long long)partitions,
                     heard_s < 0
                         ? "no node has reported yet"
                         : arena_printf(arena, "a report was last stored %lld s ago", (long long)heard_s)),
        "is the broker there, does a coordinator ingest, does any worker run?");
    add(checks, "timers", late_s < LATE_S,
        late_s ? arena_printf(arena, "the oldest that is due is %lld s late", (long long)late_s)
               : "none is late",
        "start a coordinator whose clock runs: fairlead-coordinator run, or clock");
}

static void check_rows(json_t *checks, PGresult *res, struct arena *arena) {
    int64_t known = 0, held = pg_int(res, 0, 1), dead = pg_int(res, 0, 2), idle = pg_int(res, 0, 6);
    const char *silent = pg_text(res, 0, 4), *missing = pg_text(res, 0, 5), *full = pg_text(res, 0, 9),
               *lacks = pg_text(res, 0, 8), *doubt = pg_text(res, 0, 7), *behind = pg_text(res, 0, 10),
               *strangers = pg_text(res, 0, 11);
    while (sql_migrations[known].name)
        known++;
    add(checks, "migrations", pg_int(res, 0, 0) == known,
        arena_printf(arena, "%lld of %lld are applied", (long long)pg_int(res, 0, 0), (long long)known),
        "fairlead-coordinator migrate, with the version that runs");
    add(checks, "held records", held == 0, arena_printf(arena, "%lld", (long long)held),
        "select reason, topic from outbox_held: the broker will never take them as they are");
    add(checks, "dead letters", dead == 0, arena_printf(arena, "%lld", (long long)dead),
        "fairlead dead-letter list; retry or drop each when it is understood");
    add(checks, "clock", !pg_bool(res, 0, 3),
        pg_bool(res, 0, 3) ? "it jumped: timers are held" : "runs evenly",
        "fairlead clock get, then fairlead clock accept");
    add(checks, "nodes", !*silent, *silent ? arena_printf(arena, "silent: %s", silent) : "all are heard of",
        "look at the machine and its fairlead-worker; its apps go on without us");
    add(checks, "heartbeats", !*doubt,
        *doubt ? arena_printf(arena, "in doubt: %s", doubt) : "every node hears them",
        "such a node deletes nothing: stale: does a coordinator run its clock, and does the broker carry? "
        "withheld: look at who owns the broker, then fairlead-coordinator republish; without a link: make it "
        "another "
        "bundle");
    add(checks, "keys", !*behind,
        *behind ? arena_printf(arena, "not known yet: %s", behind) : "every node knows those that sign",
        "such a node believes what older keys sign: does the broker carry, is its version this one? It "
        "learns them with its next certificate, too");
    add(checks, "documents", !*strangers,
        *strangers ? arena_printf(arena, "not known here: %s", strangers) : "nodes hold what is known here",
        "somebody else signed them, or this database is older than they are: docs/OPERATING.md, Keys that "
        "change");
    add(checks, "self-tests", !*lacks, *lacks ? arena_strdup(arena, lacks) : "no node lacks anything",
        "mend it on that machine; it looks again every five minutes");
    add(checks, "roles", !*missing,
        *missing ? arena_printf(arena, "nobody has %s", missing) : "every plane has all",
        "start a worker with that role: fairlead node create, invite, fairlead-worker enrol");
    add(checks, "disks of apps", !*full,
        *full ? arena_printf(arena, "filling: %s", full) : "all have room in their size",
        "its customer must make room, or needs a larger size; a size's disk is not enforced");
    add(checks, "transactions", idle < 60,
        arena_printf(arena, "the oldest that idles is %lld s old", (long long)idle),
        "somebody holds a transaction open: select * from pg_stat_activity");
}

static void check_kafka(json_t *checks, const struct broker *broker, struct arena *arena) {
    struct err err = {0};
    int64_t lag = 0;
    int rc = kcons_group_lag(broker, "fairlead-ingest", TOPIC_REPORTS, topic_partitions(TOPIC_REPORTS), &lag,
                             &err);
    add(checks, "kafka", rc == 0, rc == 0 ? "the broker answers" : arena_strdup(arena, err.text),
        "start the broker; nothing is lost meanwhile");
    if (rc == 0)
        add(checks, "ingest", lag < 10000, arena_printf(arena, "%lld reports wait", (long long)lag),
            "start a coordinator that ingests, or another one beside it");
}

static void check_walled(json_t *checks, const struct desk *walled, struct arena *arena) {
    struct err err = {0};
    int rc = desk_try(walled, &err);
    add(checks, "customers", rc == 0,
        rc == 0 ? "what they may see can be read" : arena_strdup(arena, err.text),
        "let fairlead_customer in where fairlead_app is let in (pg_hba.conf), or set database-customer; "
        "until then customers get 503");
}

static void check_audit(json_t *checks, struct pg *pg, struct arena *arena) {
    struct err err = {0};
    cleanup_result PGresult *res = pg_run(pg, query_audit_behind, NULL, &err);
    const char *behind = res ? pg_text(res, 0, 0) : "";
    add(checks, "audit", res && !*behind,
        !res      ? arena_strdup(arena, err.text)
        : *behind ? arena_printf(arena, "not signed: chains %s", behind)
                  : "its heads are signed",
        "fairlead audit verify; does a coordinator run its clock?");
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
            "start it; without it presence is less fresh, and each coordinator counts wrong passwords by "
            "itself");
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
    if (res) {
        check_rows(checks, res, arena);
        doctor_check_vitals(checks, pg, arena);
        check_walled(checks, call->api->walled, arena);
        check_audit(checks, pg, arena);
    }
    check_kafka(checks, &call->api->broker, arena);
    check_redis(checks, call->api->redis, arena);
    add(checks, "base image", *call->api->base != '\0', *call->api->base ? call->api->base : "none is set",
        "set the coordinator's option base to repository@sha256:... of the registry; builds need it");
    cleanup_json json_t *body = json_pack("{s:O}", "items", checks);
    api_answer(call->request, 200, json_text(body));
}

void doctor_get(struct api_call *call) {
    api_at_checks(call, doctor);
}
