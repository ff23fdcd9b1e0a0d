#include "node/ratchet.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENVELOPE_MAX 1048576

int ratchet_compare(struct ratchet_number a, struct ratchet_number b) {
    if (a.since != b.since)
        return a.since < b.since ? -1 : 1;
    if (a.epoch != b.epoch)
        return a.epoch < b.epoch ? -1 : 1;
    return a.revision == b.revision ? 0 : a.revision < b.revision ? -1 : 1;
}

enum ratchet_verdict ratchet_judge(struct ratchet_number held, struct ratchet_number offered,
                                   int same_content) {
    int order = ratchet_compare(offered, held);
    if (held.epoch == 0 || order > 0)
        return RATCHET_NEW;
    if (order < 0)
        return RATCHET_OLDER;
    return same_content ? RATCHET_SAME : RATCHET_ALARM;
}

int ratchet_write(const char *state, const char *key, const char *which, const void *envelope, size_t n,
                  struct err *err) {
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/documents", state);
    if (file_mkdirs(path, 0700, err) < 0)
        return -1;
    (void)snprintf(path, sizeof path, "%s/documents/%s.%s", state, key, which);
    return file_write(path, envelope, n, 0600, err);
}

struct reading {
    const char *folder;
    int (*each)(void *arg, const void *accepted, size_t accepted_n, const void *healthy, size_t healthy_n,
                struct err *err);
    void *arg;
};

static int read_one(const char *name, void *arg, struct err *err) {
    const struct reading *reading = arg;
    char path[PATH_MAX];
    const char *dot = strrchr(name, '.');
    cleanup_free char *accepted = NULL, *healthy = NULL;
    size_t accepted_n, healthy_n = 0;
    if (!dot || !str_eq(dot, ".accepted"))
        return 0;
    (void)snprintf(path, sizeof path, "%s/%s", reading->folder, name);
    if (file_read(path, ENVELOPE_MAX, &accepted, &accepted_n, err) < 0)
        return -1;
    (void)snprintf(path, sizeof path, "%s/%.*s.healthy", reading->folder, (int)(dot - name), name);
    if (file_exists(path) && file_read(path, ENVELOPE_MAX, &healthy, &healthy_n, err) < 0)
        return -1;
    return reading->each(reading->arg, accepted, accepted_n, healthy, healthy_n, err);
}

int ratchet_read_all(const char *state,
                     int (*each)(void *arg, const void *accepted, size_t accepted_n, const void *healthy,
                                 size_t healthy_n, struct err *err),
                     void *arg, struct err *err) {
    char folder[PATH_MAX];
    struct reading reading = {.folder = folder, .each = each, .arg = arg};
    (void)snprintf(folder, sizeof folder, "%s/documents", state);
    return file_list(folder, read_one, &reading, err);
}
