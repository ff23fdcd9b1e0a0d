/* Releases by identity. One writer (an engine) each, so no lock. */
#include "coordinator/store/batch.h"

#include <stdlib.h>
#include <uthash.h>

struct entry {
    struct uuid id;
    struct release *release;
    UT_hash_handle hh;
};

struct release_cache {
    struct entry *entries;
};

struct release_cache *release_cache_new(void) {
    return mem_alloc(sizeof(struct release_cache));
}

void release_cache_free(struct release_cache *cache) {
    struct entry *entry, *next;
    if (!cache)
        return;
    HASH_ITER(hh, cache->entries, entry, next) {
        HASH_DEL(cache->entries, entry);
        release_free(entry->release);
        free(entry);
    }
    free(cache);
}

const struct release *release_cache_get(const struct release_cache *cache, struct uuid id) {
    struct entry *entry;
    HASH_FIND(hh, cache->entries, &id, sizeof id, entry);
    return entry ? entry->release : NULL;
}

const struct release *release_cache_put(struct release_cache *cache, struct release *release) {
    const struct release *known = release_cache_get(cache, release->id);
    if (known) {
        release_free(release);
        return known;
    }
    struct entry *entry = mem_alloc(sizeof *entry);
    entry->id = release->id;
    entry->release = release;
    HASH_ADD(hh, cache->entries, id, sizeof entry->id, entry);
    return release;
}
