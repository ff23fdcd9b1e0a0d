/* Metrics as Prometheus reads them (text format 0.0.4). The table metrics.def is all there is: whoever
 * counts, the docs and the alert rules use its rows. Any thread may count; a series is made at its first use,
 * at most 48 of one metric, the rest is counted under "other". */
#ifndef FAIRLEAD_BASE_METRICS_H
#define FAIRLEAD_BASE_METRICS_H

#include "base/str.h"

#include <stdint.h>

enum metric {
#define METRIC(id, name, type, labels, who, help) METRIC_##id,
#include "base/metrics.def"
#undef METRIC
    METRIC_COUNT
};
enum metric_who { METRICS_COORDINATOR = 1, METRICS_WORKER = 2 };

/* `labels` are the values of the row's label names, joined by "|"; "" for a row without any. */
void metric_add(enum metric metric, const char *labels, int64_t n);
void metric_set(enum metric metric, const char *labels, int64_t value);
void metric_observe_us(enum metric metric, const char *labels, int64_t us);
/* Gauges of that metric that are not set again are gone. */
void metric_clear(enum metric metric);

/* All of one program, and process_* of the process itself. */
void metrics_print(struct str *out, enum metric_who who);
/* The table, for docs/METRICS.md. */
void metrics_print_markdown(struct str *out);

#endif
