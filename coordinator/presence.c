#include "coordinator/presence.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "coordinator/topics.h"
#include "io/kcons.h"
#include "io/redis.h"
#include "sql/queries.h"

#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

#define WRITE_US                                                                                             \
    (15 * CLOCK_S) /* to PostgreSQL, of each node: with every second report, before it would seem silent */
#define SETTLE_US                                                                                            \
    (30 * CLOCK_S) /* after a start or a standstill: what nodes said meanwhile is still being read */
#define GAP_US (15 * CLOCK_S) /* without a look: we stood still ourselves */
#define LAG_MAX 1000          /* records that wait, above which silence proves nothing */

/* When a node was last written to PostgreSQL. */
struct written {
    struct uuid id;
    int64_t at;
    uint64_t key_set; /* that it said then */
    UT_hash_handle hh;
};

struct presence {
    struct redis *redis;
    struct written *written;
    int64_t settled_at, looked_at;
};

struct presence *presence_open(const char *redis) {
    struct presence *presence = mem_alloc(sizeof *presence);
    presence->redis = *redis ? redis_open(redis) : NULL;
    presence->settled_at = presence->looked_at = clock_mono_us();
    return presence;
}

void presence_close(struct presence *presence) {
    struct written *written, *next;
    if (!presence)
        return;
    HASH_ITER(hh, presence->written, written, next) {
        HASH_DEL(presence->written, written);
        free(written);
    }
    redis_close(presence->redis);
    free(presence);
}

static void key_of(struct uuid node, char out[64]) {
    char hex[UUID_HEX_SIZE];
    (void)snprintf(out, 64, "fairlead:presence:%s", uuid_hex(node, hex));
}

static bool is_due(struct presence *presence, struct uuid node, uint64_t key_set) {
    struct written *written;
    int64_t now = clock_mono_us();
    HASH_FIND(hh, presence->written, &node, sizeof node, written);
    if (written && now - written->at < WRITE_US && written->key_set == key_set)
        return false;
    if (!written) {
        written = mem_alloc(sizeof *written);
        written->id = node;
        HASH_ADD(hh, presence->written, id, sizeof written->id, written);
    }
    written->at = now;
    written->key_set = key_set;
    return true;
}

bool presence_take(struct presence *presence, struct uuid node, const Fairlead__V1__Presence *report) {
    struct err err = {0};
    char key[64], at[28];
    cleanup_json json_t *version = json_string(report->version); /* NULL for what is not UTF-8 */
    cleanup_json json_t *value =
        json_pack("{s:s, s:I, s:I, s:I, s:O?}", "at", clock_text(clock_wall_us(), at), "load_milli",
                  (json_int_t)report->load_milli, "memory_free_mb", (json_int_t)report->memory_free_mb,
                  "disk_free_mb", (json_int_t)report->disk_free_mb, "version", version);
    cleanup_free char *text = json_text(value);
    key_of(node, key);
    bool shared = presence->redis && redis_set(presence->redis, key, text, PRESENCE_TTL_S, &err) == 0;
    return is_due(presence, node, report->key_set) || !shared;
}

char *presence_get(struct presence *presence, struct uuid node) {
    struct err err = {0};
    char key[64], *value = NULL;
    key_of(node, key);
    if (!presence->redis || redis_get(presence->redis, key, &value, &err) < 0)
        return NULL;
    return value;
}

/* Silence of a node counts only while others are heard, or while nothing waits to be read. */
static bool is_read(const struct broker *broker, bool all_silent) {
    struct err err = {0};
    int64_t lag = 0;
    return kcons_group_lag(broker, "fairlead-ingest", TOPIC_REPORTS, topic_partitions(TOPIC_REPORTS), &lag,
                           &err) == 0 &&
           lag <= (all_silent ? 0 : LAG_MAX);
}

/* Those that Redis has not heard of either. */
static void keep_silent(struct presence *presence, PGresult *quiet, struct arena *arena, struct vec *ids) {
    for (int row = 0; row < PQntuples(quiet); row++) {
        struct uuid id = pg_uuid(quiet, row, 0);
        cleanup_free char *heard = presence_get(presence, id);
        if (!heard)
            *vec_add(arena, ids, struct uuid) = id;
    }
}

static int mark(struct pg *pg, struct arena *arena, const struct vec *ids, int *ret_n, struct err *err) {
    struct pg_params params = {.arena = arena};
    pg_params_uuids(&params, ids->items, ids->n);
    cleanup_result PGresult *res = pg_run(pg, query_nodes_silent, &params, err);
    if (!res)
        return -1;
    *ret_n = PQntuples(res);
    for (size_t i = 0; i < ids->n; i++) {
        char text[UUID_TEXT_SIZE];
        log_warn("a node is silent", LOG_S("node", uuid_text(*vec_at(ids, struct uuid, i), text)));
    }
    return 0;
}

int presence_find_silent(struct presence *presence, struct pg *pg, const struct broker *broker, int *ret_n,
                         struct err *err) {
    struct arena arena = {0};
    struct vec ids = {0};
    int64_t now = clock_mono_us();
    *ret_n = 0;
    if (now - presence->looked_at < CLOCK_S)
        return 0;
    if (now - presence->looked_at > GAP_US)
        presence->settled_at = now;
    presence->looked_at = now;
    if (now - presence->settled_at < SETTLE_US)
        return 0;
    cleanup_result PGresult *quiet = pg_run(pg, query_nodes_quiet, NULL, err);
    if (!quiet)
        return -1;
    keep_silent(presence, quiet, &arena, &ids);
    int rc = 0;
    if (ids.n) { /* the broker is asked only when somebody seems silent */
        if (is_read(broker, (int64_t)ids.n == pg_int(quiet, 0, 1)))
            rc = mark(pg, &arena, &ids, ret_n, err);
        else
            presence->settled_at = now;
    }
    arena_release(&arena);
    return rc;
}
