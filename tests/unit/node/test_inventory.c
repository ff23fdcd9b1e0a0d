/* An inventory in parts (protocol section 7): nothing is left out, however much is held. */
#include "base/mem.h"
#include "node/keeper_item.h"
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#define KINDS 3

static const uint8_t nonce[16] = {7};

/* So many instances of three documents each, in an order that is not theirs. */
static struct keeper *keeper_of(size_t instances) {
    static char *const kinds[KINDS] = {"stack", "route", "watch"};
    struct keeper *keeper = mem_alloc(sizeof *keeper);
    pthread_mutex_init(&keeper->mutex, NULL);
    keeper->items = instances ? mem_alloc(instances * KINDS * sizeof *keeper->items) : NULL;
    for (size_t kind = 0; kind < KINDS; kind++)
        for (size_t i = instances; i-- > 0;) {
            struct item *item = mem_alloc(sizeof *item);
            item->instance.b[0] = (uint8_t)(i >> 8);
            item->instance.b[1] = (uint8_t)i;
            item->instance.b[15] = 1;
            item->document = mem_alloc(sizeof *item->document);
            fairlead__v1__document__init(item->document);
            item->document->kind = kinds[kind];
            keeper->items[keeper->n++] = item;
        }
    return keeper;
}

static void free_keeper(struct keeper *keeper) {
    for (size_t i = 0; i < keeper->n; i++) {
        free(keeper->items[i]->document);
        free(keeper->items[i]);
    }
    free(keeper->items);
    pthread_mutex_destroy(&keeper->mutex);
    free(keeper);
}

static bool lies_between(const Fairlead__V1__InventoryEntry *entry, const Fairlead__V1__Inventory *part) {
    return (!part->after.len || memcmp(entry->instance.data, part->after.data, 16) > 0) &&
           (!part->upto.len || memcmp(entry->instance.data, part->upto.data, 16) <= 0);
}

static void check_parts(size_t instances) {
    Fairlead__V1__Inventory **parts;
    struct keeper *keeper = keeper_of(instances);
    size_t n = keeper_inventory(keeper, nonce, &parts), entries = 0;
    assert_true(n >= 1);
    assert_int_equal(parts[0]->after.len, 0);
    assert_int_equal(parts[n - 1]->upto.len, 0);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(parts[i]->part, i + 1);
        assert_int_equal(parts[i]->parts, n);
        assert_true(parts[i]->n_entries < INVENTORY_ENTRIES + KINDS);
        assert_true(i == 0 || memcmp(parts[i]->after.data, parts[i - 1]->upto.data, 16) == 0);
        for (size_t k = 0; k < parts[i]->n_entries; k++)
            assert_true(lies_between(parts[i]->entries[k], parts[i]));
        entries += parts[i]->n_entries;
    }
    assert_int_equal(entries, instances * KINDS);
    keeper_inventory_free(parts, n);
    free_keeper(keeper);
}

static void test_everything_is_in_one_part(void **state) {
    (void)state;
    check_parts(0);
    check_parts(1);
    check_parts(INVENTORY_ENTRIES / KINDS);
    check_parts(INVENTORY_ENTRIES);
    check_parts(5 * INVENTORY_ENTRIES / 2 + 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_is_in_one_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
