#include "step/disk_meter.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/engine.h"

#include <dirent.h>
#include <fcntl.h>
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
#define DEPTH_MAX 64          /* folders, one open descriptor each */
#define IOPRIO_IDLE (3 << 13) /* IOPRIO_CLASS_IDLE (linux/ioprio.h) */

struct used {
    char instance[33];
    int64_t bytes, round_bytes; /* round_bytes: of the round that is under way */
    int64_t size_mb, told_mb;   /* as it was last asked about */
    UT_hash_handle hh;
};

struct disk_meter {
    const char *engine_socket, *node;
    void (*news)(void *arg, const char *instance);
    void *arg;
    struct loop *loop;
    bool modest; /* its thread has idle priority */
    pthread_mutex_t mutex;
    struct used *all;
};

struct walk {
    const struct loop *loop;
    dev_t device;
    int64_t bytes;
};

/* What a tree takes on disk, folder by folder, an entry at a time: whoever fills it decides how many there
 * are, so none is kept. A file of several names counts in parts; what vanishes meanwhile counts as nothing,
 * and so does what lies deeper than DEPTH_MAX. Only this file system, and no links: nothing else is the
 * app's. */
static void measure(struct walk *walk, int folder, int depth) {
    DIR *dir = fdopendir(folder);
    const struct dirent *entry;
    struct stat st;
    if (!dir) {
        (void)close(folder);
        return;
    }
    while (!loop_is_ending(walk->loop) && (entry = readdir(dir))) {
        if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, "..") ||
            fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_dev != walk->device)
            continue;
        bool is_folder = S_ISDIR(st.st_mode);
        walk->bytes +=
            (int64_t)st.st_blocks * 512 / (is_folder || st.st_nlink < 2 ? 1 : (int64_t)st.st_nlink);
        int below = is_folder && depth < DEPTH_MAX
                        ? openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                        : -1;
        if (below >= 0)
            measure(walk, below, depth + 1);
    }
    (void)closedir(dir);
}

static int64_t measure_volume(const struct loop *loop, const char *path) {
    struct walk walk = {.loop = loop};
    struct stat st;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0 || fstat(folder, &st) < 0) {
        if (folder >= 0)
            (void)close(folder);
        return 0;
    }
    walk.device = st.st_dev;
    walk.bytes = (int64_t)st.st_blocks * 512;
    measure(&walk, folder, 0);
    return walk.bytes;
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

static int level(int64_t mb, int64_t size_mb) {
    return !size_mb || mb * 5 < size_mb * 4 ? 0 : mb <= size_mb ? 1 : 2;
}

static int64_t mb_of(const struct used *used) {
    return (used->bytes + 1048575) / 1048576;
}

static bool is_news(const struct used *used) {
    int64_t mb = mb_of(used), step = used->size_mb / 50 > 16 ? used->size_mb / 50 : 16;
    return used->told_mb == NOTHING_TOLD || llabs(mb - used->told_mb) >= step ||
           level(mb, used->size_mb) != level(used->told_mb, used->size_mb);
}

/* A round is over: what was not met has no volume any more. */
static void conclude(struct disk_meter *meter) {
    struct used *used, *next;
    pthread_mutex_lock(&meter->mutex);
    HASH_ITER(hh, meter->all, used, next) {
        used->bytes = used->round_bytes;
        used->round_bytes = 0;
        if (used->bytes && meter->news && is_news(used))
            meter->news(meter->arg, used->instance);
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
            add(meter, instance, measure_volume(loop, mount));
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

bool disk_meter_news(struct disk_meter *meter, const char *instance, int64_t size_mb, int64_t *ret_mb) {
    struct used *used;
    bool news = false;
    *ret_mb = -1;
    pthread_mutex_lock(&meter->mutex);
    HASH_FIND_STR(meter->all, instance, used);
    if (used && used->bytes >= 0) {
        used->size_mb = size_mb;
        news = is_news(used);
        *ret_mb = mb_of(used);
        if (news)
            used->told_mb = *ret_mb;
    }
    pthread_mutex_unlock(&meter->mutex);
    return news;
}

void disk_meter_follow(struct disk_meter *meter, void (*news)(void *arg, const char *instance), void *arg) {
    pthread_mutex_lock(&meter->mutex);
    meter->news = news;
    meter->arg = arg;
    pthread_mutex_unlock(&meter->mutex);
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
