/* What a node holds, as it tells the coordinator at each start. */
#include "base/mem.h"
#include "node/keeper_item.h"

#include <stdlib.h>
#include <string.h>

Fairlead__V1__Inventory *keeper_inventory(struct keeper *keeper, const uint8_t nonce[16]) {
    Fairlead__V1__Inventory *inventory = mem_alloc(sizeof *inventory);
    fairlead__v1__inventory__init(inventory);
    inventory->nonce = (ProtobufCBinaryData){16, mem_alloc(16)};
    memcpy(inventory->nonce.data, nonce, 16);
    inventory->part = inventory->parts = 1;
    pthread_mutex_lock(&keeper->mutex);
    inventory->entries = mem_alloc((keeper->n + 1) * sizeof *inventory->entries);
    for (size_t i = 0; i < keeper->n; i++) {
        const struct item *item = keeper->items[i];
        Fairlead__V1__InventoryEntry *entry = mem_alloc(sizeof *entry);
        fairlead__v1__inventory_entry__init(entry);
        entry->instance = (ProtobufCBinaryData){16, mem_alloc(16)};
        memcpy(entry->instance.data, item->instance.b, 16);
        entry->kind = mem_strdup(item->document->kind);
        entry->epoch = item->number.epoch;
        entry->revision = item->number.revision;
        entry->condition = mem_strdup(item->said == item->number.revision ? item->condition : "");
        inventory->entries[inventory->n_entries++] = entry;
    }
    pthread_mutex_unlock(&keeper->mutex);
    return inventory;
}

void keeper_inventory_free(Fairlead__V1__Inventory *inventory) {
    for (size_t i = 0; i < inventory->n_entries; i++) {
        free(inventory->entries[i]->instance.data);
        free(inventory->entries[i]->kind);
        free(inventory->entries[i]->condition);
        free(inventory->entries[i]);
    }
    free(inventory->entries);
    free(inventory->nonce.data);
    free(inventory);
}

void keeper_each(struct keeper *keeper, void (*each)(void *arg, const char *kind, const char *condition),
                 void *arg) {
    pthread_mutex_lock(&keeper->mutex);
    for (size_t i = 0; i < keeper->n; i++)
        each(arg, keeper->items[i]->document->kind, keeper->items[i]->condition);
    pthread_mutex_unlock(&keeper->mutex);
}
