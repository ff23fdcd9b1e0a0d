#include "step/disk_meter.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/engine.h"

#include <fts.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uthash.h>

/* Builds with fault points look often, so that tests need not wait. */
#ifdef FAULTS
#define ROUND_US (2 * CLOCK_S)
#else
#define ROUND_US (300 * CLOCK_S)
#endif
#define NOTHING_TOLD (-1)
#define IOPRIO_IDLE (3 << 13) /* IOPRIO_CLASS_IDLE (linux/ioprio.h) */

struct used {
    char instance[33];
    int64_t bytes, round_bytes, told_mb; /* round_bytes: of the round that is under way */
    UT_hash_handle hh;
};

struct disk_meter {
    const char *engine_socket, *node;
    struct loop *loop;
    bool modest; /* its thread has idle priority */
    pthread_mutex_t mutex;
    struct used *all;
};

/* What a tree takes on disk: a file of several names counts in parts; what vanishes meanwhile counts as
 * nothing. Only this file system: no mount below it is the app's. */
static int64_t measure(const struct loop *loop, const char *path) {
    char *paths[] = {(char *)(uintptr_t)path, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
    const FTSENT *entry;
    int64_t bytes = 0;
    while (tree && !loop_is_ending(loop) && (entry = fts_read(tree)))
        if (entry->fts_info == FTS_F || entry->fts_info == FTS_D || entry->fts_info == FTS_SL) {
            int64_t names = entry->fts_info == FTS_F && entry->fts_statp->st_nlink > 1
                                ? (int64_t)entry->fts_statp->st_nlink
                                : 1;
            bytes += (int64_t)entry->fts_statp->st_blocks * 512 / names;
        }
    if (tree)
        (void)fts_close(tree);
    return bytes;
}

static void add(struct disk_meter *meter, const char *instance, int64_t bytes) {
    struct used *used;
    pthread_mutex_lock(&meter->mutex);
    HASH_FIND_STR(meter->all, instance, used);
    if (!used) {
        used = mem_alloc(sizeof *used);
        (void)snprintf(used->instance, sizeof used->instance, "%.32s", instance);
        used->told_mb = NOTHING_TOLD;
        used->bytes = -1;
        HASH_ADD_STR(meter->all, instance, used);
    }
    used->round_bytes += bytes;
    pthread_mutex_unlock(&meter->mutex);
}

/* A round is over: what was not met has no volume any more. */
static void conclude(struct disk_meter *meter) {
    struct used *used, *next;
    pthread_mutex_lock(&meter->mutex);
    HASH_ITER(hh, meter->all, used, next) {
        used->bytes = used->round_bytes;
        used->round_bytes = 0;
        if (used->bytes)
            continue;
        HASH_DEL(meter->all, used);
        free(used);
    }
    pthread_mutex_unlock(&meter->mutex);
}

static void measure_all(struct disk_meter *meter, const struct loop *loop) {
    char path[200];
    long status = 0;
    struct err err = {0};
    cleanup_json json_t *answer = NULL;
    size_t i;
    json_t *volume;
    (void)snprintf(path, sizeof path,
                   "/volumes?filters=%%7B%%22label%%22%%3A%%5B%%22fairlead.node%%3D%.32s%%22%%5D%%7D",
                   meter->node);
    if (engine_call(meter->engine_socket, "GET", path, NULL, 20 * CLOCK_S, &status, &answer, &err) < 0 ||
        status != 200)
        return; /* the next round asks again; the steps say what is wrong with the Engine */
    json_array_foreach(json_object_get(answer, "Volumes"), i, volume) {
        const char *instance = json_str(json_object_get(volume, "Labels"), "fairlead.instance");
        const char *mount = json_str(volume, "Mountpoint");
        if (instance && mount && !loop_is_ending(loop))
            add(meter, instance, measure(loop, mount));
    }
    if (!loop_is_ending(loop))
        conclude(meter);
}

static int64_t turn(const struct loop *loop, void *arg) {
    struct disk_meter *meter = arg;
    if (!meter->modest)
        meter->modest = syscall(SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS: this thread */, 0, IOPRIO_IDLE) == 0;
    measure_all(meter, loop);
    return ROUND_US;
}

static int level(int64_t mb, int64_t size_mb) {
    return !size_mb || mb * 5 < size_mb * 4 ? 0 : mb <= size_mb ? 1 : 2;
}

bool disk_meter_news(struct disk_meter *meter, const char *instance, int64_t size_mb, int64_t *ret_mb) {
    struct used *used;
    bool news = false;
    pthread_mutex_lock(&meter->mutex);
    HASH_FIND_STR(meter->all, instance, used);
    if (used && used->bytes >= 0) {
        int64_t mb = (used->bytes + 1048575) / 1048576, step = size_mb / 50 > 16 ? size_mb / 50 : 16;
        news = used->told_mb == NOTHING_TOLD || llabs(mb - used->told_mb) >= step ||
               level(mb, size_mb) != level(used->told_mb, size_mb);
        if (news)
            *ret_mb = used->told_mb = mb;
    }
    pthread_mutex_unlock(&meter->mutex);
    return news;
}

struct disk_meter *disk_meter_start(const char *engine_socket, const char *node, struct err *err) {
    struct disk_meter *meter = mem_alloc(sizeof *meter);
    meter->engine_socket = engine_socket;
    meter->node = node;
    pthread_mutex_init(&meter->mutex, NULL);
    meter->loop = loop_start(turn, meter, err);
    if (meter->loop)
        return meter;
    free(meter);
    return NULL;
}

void disk_meter_stop(struct disk_meter *meter) {
    struct used *used, *next;
    if (!meter)
        return;
    loop_stop(meter->loop);
    HASH_ITER(hh, meter->all, used, next) {
        HASH_DEL(meter->all, used);
        free(used);
    }
    free(meter);
}
