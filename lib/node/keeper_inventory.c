/* What a node holds: as it tells the coordinator at each start, and in one hash. */
#include "base/mem.h"
#include "base/str.h"
#include "node/keeper_item.h"

#include <stdlib.h>
#include <string.h>

static int by_instance(const void *a, const void *b) {
    const struct item *x = *(struct item *const *)a, *y = *(struct item *const *)b;
    return memcmp(x->instance.b, y->instance.b, sizeof x->instance.b);
}

static ProtobufCBinaryData copy_id(const uint8_t id[16]) {
    ProtobufCBinaryData data = {16, mem_alloc(16)};
    memcpy(data.data, id, 16);
    return data;
}

static Fairlead__V1__InventoryEntry *make_entry(const struct item *item) {
    Fairlead__V1__InventoryEntry *entry = mem_alloc(sizeof *entry);
    fairlead__v1__inventory_entry__init(entry);
    entry->instance = copy_id(item->instance.b);
    entry->kind = mem_strdup(item->document->kind);
    entry->set = mem_strdup(item->document->set);
    entry->epoch = item->number.epoch;
    entry->revision = item->number.revision;
    entry->since = item->number.since;
    entry->absent = item->document->absent;
    entry->condition = mem_strdup(item->said == item->number.revision ? item->condition : "");
    return entry;
}

/* A part from items[*at] on, which is moved behind it. All that is held of an instance is in one part. */
static Fairlead__V1__Inventory *make_part(struct item *const *items, size_t n, size_t *at,
                                          const uint8_t nonce[16]) {
    Fairlead__V1__Inventory *part = mem_alloc(sizeof *part);
    fairlead__v1__inventory__init(part);
    part->nonce = copy_id(nonce);
    if (*at)
        part->after = copy_id(items[*at - 1]->instance.b);
    part->entries = mem_alloc((n - *at + 1) * sizeof *part->entries);
    while (*at < n && (part->n_entries < INVENTORY_ENTRIES || by_instance(&items[*at], &items[*at - 1]) == 0))
        part->entries[part->n_entries++] = make_entry(items[(*at)++]);
    if (*at < n)
        part->upto = copy_id(items[*at - 1]->instance.b);
    return part;
}

size_t keeper_inventory(struct keeper *keeper, const uint8_t nonce[16],
                        Fairlead__V1__Inventory ***ret_parts) {
    size_t at = 0, parts_n = 0;
    pthread_mutex_lock(&keeper->mutex);
    struct item **items = mem_alloc((keeper->n + 1) * sizeof *items);
    Fairlead__V1__Inventory **parts = mem_alloc((keeper->n / INVENTORY_ENTRIES + 1) * sizeof *parts);
    if (keeper->n)
        memcpy(items, keeper->items, keeper->n * sizeof *items);
    qsort(items, keeper->n, sizeof *items, by_instance);
    do
        parts[parts_n++] = make_part(items, keeper->n, &at, nonce);
    while (at < keeper->n);
    pthread_mutex_unlock(&keeper->mutex);
    free(items);
    for (size_t i = 0; i < parts_n; i++) {
        parts[i]->part = (uint32_t)i + 1;
        parts[i]->parts = (uint32_t)parts_n;
    }
    *ret_parts = parts;
    return parts_n;
}

void keeper_inventory_free(Fairlead__V1__Inventory **parts, size_t parts_n) {
    for (size_t i = 0; i < parts_n; i++) {
        for (size_t k = 0; k < parts[i]->n_entries; k++) {
            free(parts[i]->entries[k]->instance.data);
            free(parts[i]->entries[k]->kind);
            free(parts[i]->entries[k]->set);
            free(parts[i]->entries[k]->condition);
            free(parts[i]->entries[k]);
        }
        free(parts[i]->entries);
        free(parts[i]->nonce.data);
        free(parts[i]->after.data);
        free(parts[i]->upto.data);
        free(parts[i]);
    }
    free(parts);
}

void keeper_each(struct keeper *keeper, void (*each)(void *arg, const char *kind, const char *condition),
                 void *arg) {
    pthread_mutex_lock(&keeper->mutex);
    for (size_t i = 0; i < keeper->n; i++)
        each(arg, keeper->items[i]->document->kind, keeper->items[i]->condition);
    pthread_mutex_unlock(&keeper->mutex);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void keeper_summary(struct keeper *keeper, uint32_t *ret_n, struct hash *ret) {
    struct arena arena = {0};
    struct vec lines = {0};
    cleanup_str struct str text = STR_INIT(SIZE_MAX);
    struct key_set keys = node_key_set(keeper->conf.node);
    pthread_mutex_lock(&keeper->mutex);
    for (size_t i = 0; i < keeper->n; i++) {
        const struct item *item = keeper->items[i];
        if (!item->document->absent && key_set_counts(&keys, item->number.since))
            *vec_add(&arena, &lines, char *) =
                arena_printf(&arena, "%s %u %llu", item->key, item->number.epoch,
                             (unsigned long long)item->number.revision);
    }
    pthread_mutex_unlock(&keeper->mutex);
    if (lines.n)
        qsort(lines.items, lines.n, sizeof(char *), by_text);
    for (size_t i = 0; i < lines.n; i++)
        str_addf(&text, "%s%s", i ? "\n" : "", *vec_at(&lines, char *, i));
    *ret_n = (uint32_t)lines.n;
    *ret = hash_sha256(str_text(&text), text.n, "", 0);
    arena_release(&arena);
}
