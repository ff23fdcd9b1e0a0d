/* What whoever owns the broker can do with a topic: its first few hundred records are read, and written once
 * more in another way. Prints how many were written.
 *
 * usage: hostile TOPIC PARTITIONS WHAT [TO_TOPIC]
 *
 * - repeat, reverse: as they were, again or in the other order
 *
 * - tombstone: nothing under each key
 *
 * - cut, bend: half of each, or with a bit flipped
 *
 * - forge: signed by a key of its own
 *
 * - retype: as if it were a list
 *
 * - move: into TO_TOPIC */
#include "base/clock.h"
#include "base/mem.h"
#include "base/rnd.h"
#include "base/str.h"
#include "io/kcons.h"
#include "io/kprod.h"
#include "node/envelope.h"
#include "proto/fairlead.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUIET_MS 1000
#define RECORDS_MAX 300 /* what was written here before comes behind them */

struct kept {
    void *key, *value;
    size_t key_n, value_n;
    int32_t partition;
};

static struct arena arena;
static struct sign_keys own;

static int fail(const char *text) {
    (void)fprintf(stderr, "hostile: %s\n", text);
    return 1;
}

static int read_all(const struct broker *broker, const char *topic, int partitions, struct vec *all,
                    struct err *err) {
    char group[40];
    (void)snprintf(group, sizeof group, "hostile-%llx", (unsigned long long)rnd_u64());
    struct kcons *kcons = kcons_open_share(broker, "hostile", group, topic, err);
    int rc = kcons ? kcons_take(kcons, (uint32_t)((UINT64_C(1) << partitions) - 1), err) : -1;
    for (int quiet = 0; rc == 0 && quiet < 2 && all->n < RECORDS_MAX;) {
        struct kcons_record record = {0};
        int got = kcons_poll(kcons, QUIET_MS, &record, err);
        quiet = got > 0 ? 0 : quiet + 1;
        if (got <= 0)
            continue;
        if (record.value) {
            struct kept *kept = vec_add(&arena, all, struct kept);
            *kept = (struct kept){.key = arena_memdup(&arena, record.key, record.key_n),
                                  .value = arena_memdup(&arena, record.value, record.value_n),
                                  .key_n = record.key_n,
                                  .value_n = record.value_n,
                                  .partition = record.partition};
        }
        kcons_release(&record);
    }
    kcons_close(kcons);
    return rc;
}

/* The same payload in an envelope of another type, or signed by somebody else. */
static void rewrap(struct kept *kept, const char *type) {
    Fairlead__V1__Envelope *envelope = fairlead__v1__envelope__unpack(NULL, kept->value_n, kept->value);
    if (!envelope)
        return;
    if (!type) {
        kept->value = envelope_make(&own, envelope->type, envelope->payload.data, envelope->payload.len,
                                    &arena, &kept->value_n);
    } else {
        free(envelope->type);
        envelope->type = mem_strdup(type);
        kept->value_n = fairlead__v1__envelope__get_packed_size(envelope);
        kept->value = arena_alloc(&arena, kept->value_n);
        (void)fairlead__v1__envelope__pack(envelope, kept->value);
    }
    fairlead__v1__envelope__free_unpacked(envelope, NULL);
}

static bool change(struct kept *kept, const char *what) {
    if (str_eq(what, "cut"))
        kept->value_n /= 2;
    else if (str_eq(what, "bend"))
        ((uint8_t *)kept->value)[kept->value_n / 2] ^= 1;
    else if (str_eq(what, "tombstone"))
        kept->value = NULL, kept->value_n = 0;
    else if (str_eq(what, "forge"))
        rewrap(kept, NULL);
    else if (str_eq(what, "retype"))
        rewrap(kept, ENVELOPE_LIST);
    else
        return str_eq(what, "repeat") || str_eq(what, "reverse") || str_eq(what, "move");
    return true;
}

static size_t delivered;

static void reported(void *arg, uint64_t tag, enum kprod_result result, const char *reason) {
    (void)arg, (void)tag;
    delivered += result == KPROD_DELIVERED;
    if (result != KPROD_DELIVERED)
        (void)fprintf(stderr, "not delivered: %s\n", reason);
}

static int write_all(const struct broker *broker, const char *topic, const struct vec *all, bool moved,
                     struct err *err) {
    struct kprod *kprod = kprod_open(broker, "hostile", reported, NULL, err);
    int rc = kprod ? 0 : -1;
    for (size_t i = 0; rc == 0 && i < all->n; i++) {
        const struct kept *kept = vec_at(all, struct kept, i);
        rc = kprod_send(kprod, topic, moved ? 0 : kept->partition, kept->key, kept->key_n, kept->value,
                        kept->value_n, NULL, 0, err);
    }
    if (kprod)
        (void)kprod_flush(kprod, 20000);
    kprod_close(kprod);
    return rc;
}

int main(int argc, char **argv) {
    struct err err = {0};
    struct vec all = {0};
    int64_t partitions;
    /* Whoever owns the broker may do everything there. */
    const struct broker broker = {.servers = getenv("FAIRLEAD_KAFKA"),
                                  .ca = getenv("FAIRLEAD_KAFKA_CA"),
                                  .cert = getenv("FAIRLEAD_KAFKA_TOOLS")};
    bool moved = argc == 5 && str_eq(argv[3], "move");
    if ((argc != 4 && !moved) || !str_to_int(argv[2], 1, 32, &partitions))
        return fail("usage: hostile TOPIC PARTITIONS WHAT [TO_TOPIC]");
    if (sign_init(&err) < 0)
        return fail(err.text);
    sign_keys_make(&own);
    if (read_all(&broker, argv[1], (int)partitions, &all, &err) < 0)
        return fail(err.text);
    for (size_t i = 0; i < all.n; i++)
        if (!change(vec_at(&all, struct kept, i), argv[3]))
            return fail("nobody knows how to do that");
    for (size_t i = 0; str_eq(argv[3], "reverse") && i < all.n / 2; i++) {
        struct kept *first = vec_at(&all, struct kept, i), *last = vec_at(&all, struct kept, all.n - 1 - i),
                    swapped = *first;
        *first = *last;
        *last = swapped;
    }
    if (write_all(&broker, moved ? argv[4] : argv[1], &all, moved, &err) < 0)
        return fail(err.text);
    printf("%zu\n", delivered);
    arena_release(&arena);
    return delivered == all.n ? 0 : 1;
}
