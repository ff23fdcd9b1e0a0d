/* What is due: items[] of the keeper is a heap, the earliest first, so that a turn costs what is due and not
 * what is held. */
#include "node/keeper_item.h"

static void put(struct keeper *keeper, struct item *item, size_t at) {
    keeper->items[at] = item;
    item->at = at;
}

static void rise(struct keeper *keeper, struct item *item) {
    size_t at = item->at;
    for (; at > 0; at = (at - 1) / 2) {
        struct item *above = keeper->items[(at - 1) / 2];
        if (above->due_at <= item->due_at)
            break;
        put(keeper, above, at);
    }
    put(keeper, item, at);
}

static void sink(struct keeper *keeper, struct item *item) {
    size_t at = item->at;
    for (size_t below; (below = 2 * at + 1) < keeper->n; at = below) {
        if (below + 1 < keeper->n && keeper->items[below + 1]->due_at < keeper->items[below]->due_at)
            below++;
        if (keeper->items[below]->due_at >= item->due_at)
            break;
        put(keeper, keeper->items[below], at);
    }
    put(keeper, item, at);
}

void keeper_queue_add(struct keeper *keeper, struct item *item) {
    put(keeper, item, keeper->n++);
    rise(keeper, item);
}

void keeper_queue_set(struct keeper *keeper, struct item *item, int64_t due_at) {
    bool sooner = due_at < item->due_at;
    item->due_at = due_at;
    if (sooner)
        rise(keeper, item);
    else
        sink(keeper, item);
}

/* From `at` down, as far as something is due and may be earlier than what was found. */
static void look(const struct keeper *keeper, size_t at, int64_t now,
                 bool (*may)(const struct keeper *keeper, const struct item *item), struct item **best,
                 int64_t *next) {
    if (at >= keeper->n)
        return;
    struct item *item = keeper->items[at];
    if (item->due_at > now) {
        *next = item->due_at < *next ? item->due_at : *next;
        return;
    }
    if (*best && (*best)->due_at <= item->due_at)
        return;
    if (may(keeper, item)) /* nothing below is earlier */
        *best = item;
    else
        for (size_t below = 2 * at + 1; below <= 2 * at + 2; below++)
            look(keeper, below, now, may, best, next);
}

struct item *keeper_queue_first(const struct keeper *keeper, int64_t now,
                                bool (*may)(const struct keeper *keeper, const struct item *item),
                                int64_t *next) {
    struct item *best = NULL;
    look(keeper, 0, now, may, &best, next);
    return best;
}
