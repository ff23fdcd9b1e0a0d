/* What nodes ask: inventories. Each costs a look at all that the node should hold and a list of it, so a node
 * has a budget, and a haul answers each part once. */
#include "base/clock.h"
#include "base/log.h"
#include "coordinator/ingest_own.h"
#include "coordinator/inventory.h"

#include <stdlib.h>
#include <uthash.h>

/* In documents compared: the largest node there can be, several times over, and then a part again each
 * second. */
#define BUDGET_MAX 40000
#define BUDGET_PER_S 2000
#define COST_MIN 100

struct asked {
    struct uuid node_id, private_plane;
    const Fairlead__V1__Inventory *inventory;
};

struct asking {
    struct uuid node_id;
    int64_t left, at;
    UT_hash_handle hh;
};

void ingest_ask(struct haul *haul, struct uuid node_id, struct uuid private_plane,
                const Fairlead__V1__Inventory *inventory) {
    for (size_t i = 0; i < haul->asked.n; i++) {
        struct asked *before = vec_at(&haul->asked, struct asked, i);
        if (uuid_eq(before->node_id, node_id) && before->inventory->part == inventory->part) {
            before->inventory = inventory;
            return;
        }
    }
    /* Parts that no node has: the search above stays short. */
    if (haul->asked.n < (size_t)RECORDS_MAX * 4)
        *vec_add(&haul->arena, &haul->asked, struct asked) =
            (struct asked){node_id, private_plane, inventory};
}

static struct asking *asking_of(struct ingest *ingest, struct uuid node_id) {
    struct asking *asking;
    int64_t now = clock_mono_us();
    HASH_FIND(hh, ingest->asking, &node_id, sizeof node_id, asking);
    if (!asking) {
        asking = mem_alloc(sizeof *asking);
        asking->node_id = node_id;
        asking->left = BUDGET_MAX;
        HASH_ADD(hh, ingest->asking, node_id, sizeof asking->node_id, asking);
    } else {
        int64_t back = (now - asking->at) * BUDGET_PER_S / CLOCK_S;
        asking->left = asking->left + back < BUDGET_MAX ? asking->left + back : BUDGET_MAX;
    }
    asking->at = now;
    return asking;
}

void ingest_answer_asked(struct ingest *ingest, struct haul *haul) {
    size_t left = 0;
    for (size_t i = 0; i < haul->asked.n; i++) {
        const struct asked *asked = vec_at(&haul->asked, struct asked, i);
        struct asking *asking = asking_of(ingest, asked->node_id);
        struct err err = {0};
        int64_t compared = 0;
        if (asking->left <= 0) {
            left++;
            continue;
        }
        if (inventory_answer(ingest->pg, ingest->conf.signing, asked->node_id, asked->private_plane,
                             asked->inventory, &compared, &err) < 0)
            log_warn("an inventory was not answered", LOG_S("error", err.text)); /* the node asks again */
        asking->left -= compared > COST_MIN ? compared : COST_MIN;
    }
    if (left)
        log_warn("inventories are asked too often; the rest is left for later", LOG_I("parts", left));
    if (haul->asked.n > left)
        ingest->conf.wake_relay(ingest->conf.arg, UINT32_MAX);
}

void ingest_forget_asking(struct ingest *ingest) {
    struct asking *asking, *next;
    HASH_ITER(hh, ingest->asking, asking, next) {
        HASH_DEL(ingest->asking, asking);
        free(asking);
    }
}
