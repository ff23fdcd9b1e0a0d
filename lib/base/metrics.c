#include "base/metrics.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define SERIES_MAX 48
#define LABELS_SIZE 64

enum type { COUNTER, GAUGE, HISTOGRAM };

static const struct {
    const char *name;
    enum type type;
    const char *labels;
    int who;
    const char *help;
} rows[METRIC_COUNT] = {
#define METRIC(id, text, kind, label_names, programs, about)                                                 \
    {.name = text, .type = kind, .labels = label_names, .who = programs, .help = about},
#include "base/metrics.def"
#undef METRIC
};

static const char *const type_names[] = {"counter", "gauge", "histogram"};
static const int64_t buckets_us[] = {1000,    5000,     25000,    100000,    500000,
                                     2500000, 10000000, 60000000, 300000000, 1800000000};
static const char *const bucket_names[] = {"0.001", "0.005", "0.025", "0.1", "0.5",
                                           "2.5",   "10",    "60",    "300", "1800"};
#define BUCKETS (sizeof buckets_us / sizeof *buckets_us)

struct series {
    char labels[LABELS_SIZE];
    int64_t value;               /* count of a histogram */
    int64_t sum_us, in[BUCKETS]; /* of a histogram */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct {
    int n;
    struct series series[SERIES_MAX];
} all[METRIC_COUNT];

/* The mutex is held. */
static struct series *find(enum metric metric, const char *labels) {
    for (int i = 0; i < all[metric].n; i++)
        if (strcmp(all[metric].series[i].labels, labels) == 0)
            return &all[metric].series[i];
    struct series *series =
        &all[metric].series[all[metric].n < SERIES_MAX ? all[metric].n++ : SERIES_MAX - 1];
    (void)snprintf(series->labels, sizeof series->labels, "%s",
                   series == &all[metric].series[SERIES_MAX - 1] ? "other" : labels);
    return series;
}

void metric_add(enum metric metric, const char *labels, int64_t n) {
    pthread_mutex_lock(&mutex);
    find(metric, labels)->value += n;
    pthread_mutex_unlock(&mutex);
}

void metric_set(enum metric metric, const char *labels, int64_t value) {
    pthread_mutex_lock(&mutex);
    find(metric, labels)->value = value;
    pthread_mutex_unlock(&mutex);
}

void metric_clear(enum metric metric) {
    pthread_mutex_lock(&mutex);
    memset(all[metric].series, 0, sizeof all[metric].series);
    all[metric].n = 0;
    pthread_mutex_unlock(&mutex);
}

void metric_observe_us(enum metric metric, const char *labels, int64_t us) {
    pthread_mutex_lock(&mutex);
    struct series *series = find(metric, labels);
    series->value++;
    series->sum_us += us;
    for (size_t i = 0; i < BUCKETS; i++)
        series->in[i] += us <= buckets_us[i];
    pthread_mutex_unlock(&mutex);
}

/* name="value" pairs; values are ours, but for a version that a build gave: no quote passes. */
static void add_labels(struct str *out, enum metric metric, const char *values, const char *bucket) {
    const char *names = rows[metric].labels;
    bool open = false;
    while (*names) {
        size_t name_n = strcspn(names, ","), value_n = strcspn(values, "|");
        str_addf(out, "%s%.*s=\"", open ? "," : "{", (int)name_n, names);
        for (size_t i = 0; i < value_n; i++)
            str_addf(out, "%c", values[i] == '"' || values[i] == '\\' || values[i] == '\n' ? '_' : values[i]);
        str_adds(out, "\"");
        open = true;
        names += name_n + (names[name_n] == ',');
        values += value_n + (values[value_n] == '|');
    }
    if (bucket) {
        str_addf(out, "%sle=\"%s\"", open ? "," : "{", bucket);
        open = true;
    }
    if (open)
        str_adds(out, "}");
}

static void print_histogram(struct str *out, enum metric metric, const struct series *series) {
    for (size_t i = 0; i <= BUCKETS; i++) {
        str_addf(out, "%s_bucket", rows[metric].name);
        add_labels(out, metric, series->labels, i < BUCKETS ? bucket_names[i] : "+Inf");
        str_addf(out, " %lld\n", (long long)(i < BUCKETS ? series->in[i] : series->value));
    }
    str_addf(out, "%s_sum", rows[metric].name);
    add_labels(out, metric, series->labels, NULL);
    str_addf(out, " %.6f\n%s_count", (double)series->sum_us / 1e6, rows[metric].name);
    add_labels(out, metric, series->labels, NULL);
    str_addf(out, " %lld\n", (long long)series->value);
}

static void print_process(struct str *out) {
    struct rusage usage;
    long pages = 0, fds = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f) {
        (void)!fscanf(f, "%*d %ld", &pages);
        (void)fclose(f);
    }
    DIR *dir = opendir("/proc/self/fd");
    for (; dir && readdir(dir); fds++)
        ;
    if (dir)
        (void)closedir(dir);
    (void)getrusage(RUSAGE_SELF, &usage);
    str_addf(out,
             "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total %.3f\n"
             "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes %lld\n"
             "# TYPE process_open_fds gauge\nprocess_open_fds %ld\n",
             (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
             (long long)pages * sysconf(_SC_PAGESIZE), fds > 3 ? fds - 3 : 0);
}

void metrics_print(struct str *out, enum metric_who who) {
    for (int m = 0; m < METRIC_COUNT; m++) {
        if (!(rows[m].who & (int)who))
            continue;
        str_addf(out, "# HELP %s %s\n# TYPE %s %s\n", rows[m].name, rows[m].help, rows[m].name,
                 type_names[rows[m].type]);
        pthread_mutex_lock(&mutex);
        for (int i = 0; i < all[m].n; i++) {
            const struct series *series = &all[m].series[i];
            if (rows[m].type == HISTOGRAM) {
                print_histogram(out, (enum metric)m, series);
                continue;
            }
            str_adds(out, rows[m].name);
            add_labels(out, (enum metric)m, series->labels, NULL);
            str_addf(out, " %lld\n", (long long)series->value);
        }
        pthread_mutex_unlock(&mutex);
    }
    print_process(out);
}

void metrics_print_markdown(struct str *out) {
    str_adds(out, "| metric | type | labels | of | meaning |\n| --- | --- | --- | --- | --- |\n");
    for (int m = 0; m < METRIC_COUNT; m++)
        str_addf(out, "| `%s` | %s | %s | %s | %s |\n", rows[m].name, type_names[rows[m].type],
                 *rows[m].labels ? rows[m].labels : "-",
                 rows[m].who == 3                     ? "both"
                 : rows[m].who == METRICS_COORDINATOR ? "coordinator"
                                                      : "worker",
                 rows[m].help);
}
