#include "coordinator/limits.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/redis.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

#define KNOWN_MAX 10000 /* here: strangers choose what is counted */

/* Keys are hashes: neither names nor addresses stand in Redis. */
#define KEY_SIZE (sizeof "fairlead:limit:" + HASH_HEX_SIZE)

struct known {
    char key[KEY_SIZE];
    int n;
    int64_t until;
    UT_hash_handle hh;
};

struct limits {
    pthread_mutex_t mutex;
    struct redis *redis;
    struct known *known;
};

static void key_of(const char *what, char out[KEY_SIZE]) {
    char hex[HASH_HEX_SIZE];
    (void)snprintf(out, KEY_SIZE, "fairlead:limit:%s", hash_hex(hash_of(what, strlen(what)), hex));
}

static void drop(struct limits *limits, struct known *known) {
    HASH_DEL(limits->known, known);
    free(known);
}

static struct known *find(struct limits *limits, const char *key) {
    struct known *known;
    HASH_FIND_STR(limits->known, key, known);
    if (known && known->until <= clock_mono_us()) {
        drop(limits, known);
        known = NULL;
    }
    return known;
}

/* What has passed goes; where nothing has, everything: it is Redis that remembers, too. */
static void make_room(struct limits *limits) {
    struct known *known, *next;
    if (HASH_COUNT(limits->known) < KNOWN_MAX)
        return;
    for (int all = 0; all < 2 && HASH_COUNT(limits->known) >= KNOWN_MAX; all++)
        HASH_ITER(hh, limits->known, known, next)
    if (all || known->until <= clock_mono_us())
        drop(limits, known);
}

int limits_look(struct limits *limits, const char *what) {
    char key[KEY_SIZE];
    struct err ignored = {0};
    cleanup_free char *text = NULL;
    int64_t there = 0;
    key_of(what, key);
    pthread_mutex_lock(&limits->mutex);
    const struct known *known = find(limits, key);
    int here = known ? known->n : 0;
    if (limits->redis && redis_get(limits->redis, key, &text, &ignored) == 0 && text)
        (void)str_to_int(text, 0, INT32_MAX, &there);
    pthread_mutex_unlock(&limits->mutex);
    return here > there ? here : (int)there;
}

void limits_count(struct limits *limits, const char *what, int seconds) {
    char key[KEY_SIZE];
    struct err ignored = {0};
    int64_t n;
    key_of(what, key);
    pthread_mutex_lock(&limits->mutex);
    struct known *known = find(limits, key);
    if (!known) {
        make_room(limits);
        known = mem_alloc(sizeof *known);
        (void)snprintf(known->key, sizeof known->key, "%s", key);
        known->until = clock_mono_us() + seconds * CLOCK_S;
        HASH_ADD_STR(limits->known, key, known);
    }
    known->n++;
    if (limits->redis && redis_count(limits->redis, key, seconds, &n, &ignored) < 0)
        ignored.cls = 0; /* it is counted here */
    pthread_mutex_unlock(&limits->mutex);
}

void limits_forget(struct limits *limits, const char *what) {
    char key[KEY_SIZE];
    struct err ignored = {0};
    key_of(what, key);
    pthread_mutex_lock(&limits->mutex);
    struct known *known = find(limits, key);
    if (known)
        drop(limits, known);
    if (limits->redis && redis_delete(limits->redis, key, &ignored) < 0)
        ignored.cls = 0; /* it goes by itself */
    pthread_mutex_unlock(&limits->mutex);
}

struct limits *limits_open(const char *redis) {
    struct limits *limits = mem_alloc(sizeof *limits);
    pthread_mutex_init(&limits->mutex, NULL);
    limits->redis = *redis ? redis_open(redis) : NULL;
    return limits;
}

void limits_close(struct limits *limits) {
    struct known *known, *next;
    if (!limits)
        return;
    HASH_ITER(hh, limits->known, known, next)
    drop(limits, known);
    redis_close(limits->redis);
    pthread_mutex_destroy(&limits->mutex);
    free(limits);
}
