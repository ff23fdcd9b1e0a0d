/* Metrics for Prometheus: what this process counted, and gauges that PostgreSQL is asked for. */
#include "base/metrics.h"

#include "base/str.h"
#include "coordinator/api/api.h"
#include "sql/queries.h"

#include <pthread.h>

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

static pthread_mutex_t scrape = PTHREAD_MUTEX_INITIALIZER;

static void metrics(struct api_call *call, struct pg *pg) {
    struct err err = {0};
    cleanup_str struct str out = STR_INIT(1048576);
    cleanup_result PGresult *res = pg_run(pg, query_metrics, NULL, &err);
    /* Gauges belong to the process: one scrape after another, or they empty each other's. Without the
     * database there are none, which is true. */
    pthread_mutex_lock(&scrape);
    for (size_t i = 0; i < GAUGES; i++)
        metric_clear(gauges[i].metric);
    for (int row = 0; res && row < PQntuples(res); row++)
        for (size_t i = 0; i < GAUGES; i++)
            if (str_eq(gauges[i].name, pg_text(res, row, 0)))
                metric_set(gauges[i].metric, pg_text(res, row, 1), pg_int(res, row, 2));
    metrics_print(&out, METRICS_COORDINATOR);
    pthread_mutex_unlock(&scrape);
    struct httpd_reply reply = {
        .status = 200, .type = "text/plain; version=0.0.4", .body = str_text(&out), .body_n = out.n};
    httpd_answer(call->request, &reply);
}

void metrics_get(struct api_call *call) {
    api_at_desk(call, metrics);
}
