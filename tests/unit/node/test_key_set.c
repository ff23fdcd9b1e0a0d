/* Keys of the coordinator that rotate: whose signature counts, and what of it stands above what (P15). */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/cert.h"
#include "node/envelope.h"
#include "node/heartbeat.h"
#include "node/keeper_item.h"
#include "node/node_own.h"
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HIGHEST ((UINT64_MAX >> 1))

static char *root_key, *root, *other_key, *other_root;
static struct sign_keys first, second, third;

static int make_root(const char *key, char **ret, struct err *err) {
    const struct cert_wish wish = {
        .use = CERT_ROOT, .unit = "authority", .name = "root", .from_us = 0, .until_us = 4000000000000000};
    return cert_root_make(key, &wish, ret, err);
}

static int make_all(void **state) {
    struct err err = {0};
    (void)state;
    if (sign_init(&err) < 0 || cert_key_make(&root_key, &err) < 0 || cert_key_make(&other_key, &err) < 0 ||
        make_root(root_key, &root, &err) < 0 || make_root(other_key, &other_root, &err) < 0)
        return -1;
    sign_keys_make(&first);
    sign_keys_make(&second);
    sign_keys_make(&third);
    return 0;
}

static int free_all(void **state) {
    (void)state;
    free(root_key);
    free(root);
    free(other_key);
    free(other_root);
    return 0;
}

struct fixture {
    char state[64];
    struct node_identity node;
    struct arena arena;
};

static int set_up(void **state) {
    struct fixture *f = mem_alloc(sizeof *f);
    struct err err = {0};
    (void)snprintf(f->state, sizeof f->state, "/tmp/fairlead-keys-XXXXXX");
    if (!mkdtemp(f->state))
        return -1;
    (void)snprintf(f->node.state, sizeof f->node.state, "%s", f->state);
    f->node.id.b[0] = 1;
    f->node.coordinator = key_set_first(first.sign_public, first.seal_public);
    if (file_write(node_path(f->state, "authority.pem", f->node.root), root, strlen(root), 0600, &err) < 0)
        return -1;
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    int rc = file_remove_tree(f->state, NULL);
    arena_release(&f->arena);
    free(f);
    return rc;
}

/* As rotate makes them; a key of NULL ends them. */
struct said {
    const struct sign_keys *keys;
    uint64_t since;
    enum { COUNTS, RETIRED, STOLEN } is;
};

static void *make_set(struct fixture *f, const char *by, uint64_t set_n, const struct said *said, size_t *n) {
    Fairlead__V1__KeySet set = FAIRLEAD__V1__KEY_SET__INIT;
    Fairlead__V1__SetKey keys[4], *all[4];
    struct err err = {0};
    void *bytes = NULL;
    set.n = set_n;
    set.keys = all;
    for (; said->keys; said++) {
        Fairlead__V1__SetKey *key = all[set.n_keys] = &keys[set.n_keys];
        fairlead__v1__set_key__init(key);
        key->sign_key = (ProtobufCBinaryData){
            SIGN_PUBLIC_SIZE, arena_memdup(&f->arena, said->keys->sign_public, SIGN_PUBLIC_SIZE)};
        key->seal_key = (ProtobufCBinaryData){
            SEAL_PUBLIC_SIZE, arena_memdup(&f->arena, said->keys->seal_public, SEAL_PUBLIC_SIZE)};
        key->since = said->since;
        key->retired = said->is != COUNTS;
        key->stolen = said->is == STOLEN;
        set.n_keys++;
    }
    assert_int_equal(key_set_make(by, &set, &f->arena, &bytes, n, &err), 0);
    return bytes;
}

static int take(struct fixture *f, uint64_t n, const struct said *said, bool *ret_new, struct err *err) {
    size_t size;
    const void *bytes = make_set(f, root_key, n, said, &size);
    return node_take_keys(&f->node, bytes, size, ret_new, err);
}

/* P15: what a thief of the online key can say is not the root's word. */
static void a_set_is_the_roots_and_nobody_elses(void **state) {
    struct fixture *f = *state;
    struct err err = {0};
    struct key_set set;
    size_t n, forged_n;
    const struct said said[] = {{&first, 1, RETIRED}, {&second, 2, COUNTS}, {0}};
    uint8_t *good = make_set(f, root_key, 2, said, &n);
    assert_int_equal(key_set_open(root, good, n, &set, &err), 0);
    assert_int_equal(set.n, 2);
    assert_memory_equal(set.seal, second.seal_public, SEAL_PUBLIC_SIZE);
    assert_int_equal(key_set_open(other_root, good, n, &set, &err), -1);
    assert_int_equal(err.cls, ERR_DEAD);
    const void *others = make_set(f, other_key, 2, said, &forged_n);
    assert_int_equal(key_set_open(root, others, forged_n, &set, &err), -1);
    for (size_t i = 0; i < n; i++) {
        uint8_t *bent = arena_memdup(&f->arena, good, n);
        bent[i] ^= 1;
        if (key_set_open(root, bent, n, &set, &err) == 0)
            fail_msg("byte %zu may be changed", i);
    }
    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(key_set_open(root, good, cut, &set, &err), -1);
    /* Signed by a key that documents are believed of. */
    const void *forged = envelope_make(&first, ENVELOPE_KEYS, "x", 1, &f->arena, &forged_n);
    bool new;
    assert_int_equal(node_take_keys(&f->node, forged, forged_n, &new, &err), -1);
    assert_int_equal(node_key_set(&f->node).n, 1);
}

static void a_set_says_what_can_be(void **state) {
    struct fixture *f = *state;
    static const struct said bad[][3] = {
        {{0}},                                           /* no key at all */
        {{&first, 1, RETIRED}, {0}},                     /* none that counts */
        {{&first, 0, COUNTS}, {0}},                      /* since ever */
        {{&first, 3, COUNTS}, {0}},                      /* since a set that comes later */
        {{&first, 1, COUNTS}, {&first, 2, COUNTS}, {0}}, /* twice */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = {0};
        struct key_set set;
        size_t n;
        const void *bytes = make_set(f, root_key, 2, bad[i], &n);
        if (key_set_open(root, bytes, n, &set, &err) == 0 || err.cls != ERR_DEAD)
            fail_msg("set %zu is believed", i);
    }
}

static void a_set_follows_and_forgets_nothing(void **state) {
    struct fixture *f = *state;
    struct err err = {0};
    bool new;
    size_t n;
    const struct said said[] = {{&first, 1, RETIRED}, {&second, 2, COUNTS}, {0}};
    const void *bytes = make_set(f, root_key, 3, said, &n);
    assert_int_equal(node_take_keys(&f->node, bytes, n, &new, &err), 0);
    assert_true(new);
    /* Come again, or late: no news, and no error. */
    assert_int_equal(node_take_keys(&f->node, bytes, n, &new, &err), 0);
    assert_false(new);
    assert_int_equal(take(f, 2, said, &new, &err), 0);
    assert_false(new);
    /* The root signs a number once: two sets of one number are somebody's doing, and are told. */
    assert_int_equal(
        take(f, 3, (const struct said[]){{&first, 1, COUNTS}, {&second, 2, COUNTS}, {0}}, &new, &err), -1);
    assert_int_equal(err.cls, ERR_DEAD);
    static const struct said bad[][4] = {
        {{&second, 2, COUNTS}, {&third, 4, COUNTS}, {0}},                        /* forgets the first */
        {{&first, 1, RETIRED}, {&second, 3, RETIRED}, {&third, 4, COUNTS}, {0}}, /* since another time */
        {{&first, 1, COUNTS}, {&second, 2, RETIRED}, {&third, 4, COUNTS}, {0}},  /* brings one back */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(take(f, 4, bad[i], &new, &err), -1);
        assert_int_equal(err.cls, ERR_DEAD);
    }
    assert_int_equal(node_key_set(&f->node).n, 3);
    /* It is there after a start. */
    f->node.coordinator = key_set_first(first.sign_public, first.seal_public);
    assert_int_equal(node_load_keys(&f->node, &err), 0);
    assert_int_equal(node_key_set(&f->node).n, 3);
    assert_memory_equal(node_key_set(&f->node).seal, second.seal_public, SEAL_PUBLIC_SIZE);
    /* Of another installation, or bent: nothing is believed by it. */
    f->node.coordinator = key_set_first(third.sign_public, third.seal_public);
    assert_int_equal(node_load_keys(&f->node, &err), -1);
}

static void what_a_retired_key_signs_counts_no_more(void **state) {
    struct fixture *f = *state;
    struct err err = {0};
    struct opened opened;
    bool new;
    size_t n;
    assert_int_equal(
        take(f, 2, (const struct said[]){{&first, 1, RETIRED}, {&second, 2, COUNTS}, {0}}, &new, &err), 0);
    struct key_set set = node_key_set(&f->node);
    const void *old = envelope_make(&first, ENVELOPE_ORDERS, "payload", 7, &f->arena, &n);
    assert_int_equal(envelope_open(&set.ring, old, n, &f->arena, &opened, &err), -1);
    assert_int_equal(err.cls, ERR_DEAD);
    assert_int_equal(envelope_reopen(&set.ring, old, n, &f->arena, &opened, &err), 0); /* from the own disk */
    assert_int_equal(opened.since, 1);
    const void *young = envelope_make(&second, ENVELOPE_ORDERS, "payload", 7, &f->arena, &n);
    assert_int_equal(envelope_open(&set.ring, young, n, &f->arena, &opened, &err), 0);
    assert_int_equal(opened.since, 2);
}

static void apply(void *arg, const Fairlead__V1__Document *document, struct keeper_outcome *outcome) {
    (void)arg, (void)document;
    outcome->cut = true;
}

static int offer(struct fixture *f, struct keeper *keeper, const struct sign_keys *keys, uint64_t since,
                 uint64_t revision, struct err *err) {
    uint8_t instance[16] = {1}, packed[256];
    char kind[] = "route";
    Fairlead__V1__Document document = FAIRLEAD__V1__DOCUMENT__INIT;
    document.instance = (ProtobufCBinaryData){sizeof instance, instance};
    document.node = (ProtobufCBinaryData){sizeof f->node.id.b, f->node.id.b};
    document.kind = kind;
    document.epoch = 1;
    document.revision = revision;
    size_t n = fairlead__v1__document__pack(&document, packed);
    void *envelope = envelope_make(keys, ENVELOPE_DOCUMENT, packed, n, &f->arena, &n);
    return keeper_offer(keeper, &document, since, envelope, n, err);
}

static uint32_t held_documents(struct keeper *keeper) {
    struct hash hash;
    uint32_t n;
    keeper_summary(keeper, &n, &hash);
    return n;
}

/* P15: a thief has given out the highest revision that there is; the key that follows is followed all the
 * same, also after a start, and the thief's is not among what the coordinator is said to want. */
static void no_revision_of_an_older_key_is_too_high(void **state) {
    struct fixture *f = *state;
    struct err err = {0};
    bool new;
    struct keeper_conf conf = {.node = &f->node, .state = f->state, .apply = apply};
    struct keeper *keeper = keeper_start(&conf, &err);
    assert_non_null(keeper);
    assert_int_equal(offer(f, keeper, &first, 1, 7, &err), 0);
    assert_int_equal(offer(f, keeper, &first, 1, HIGHEST, &err), 0);
    assert_int_equal(offer(f, keeper, &first, 1, 8, &err), -1);
    assert_int_equal(held_documents(keeper), 1);
    assert_int_equal(
        take(f, 2, (const struct said[]){{&first, 1, RETIRED}, {&second, 2, COUNTS}, {0}}, &new, &err), 0);
    assert_int_equal(held_documents(keeper), 0);
    keeper_stop(keeper);
    keeper = keeper_start(&conf, &err);
    assert_non_null(keeper);
    assert_int_equal(offer(f, keeper, &second, 2, 7, &err), 0);
    assert_int_equal(keeper->items[0]->number.revision, 7);
    assert_int_equal(held_documents(keeper), 1);
    assert_int_equal(offer(f, keeper, &first, 1, HIGHEST, &err), -1);
    keeper_stop(keeper);
    keeper = keeper_start(&conf, &err); /* ... and it is so for ever */
    assert_int_equal(keeper->items[0]->number.since, 2);
    assert_int_equal(keeper->items[0]->number.revision, 7);
    keeper_stop(keeper);
}

/* A rotation touches nothing that runs: the same revision under another key is kept, and not applied. */
static void what_is_signed_again_is_as_well_as_it_was(void **state) {
    struct fixture *f = *state;
    struct err err = {0};
    struct keeper_conf conf = {.node = &f->node, .state = f->state, .apply = apply};
    bool new;
    struct keeper *keeper = keeper_start(&conf, &err);
    assert_int_equal(offer(f, keeper, &first, 1, 7, &err), 0);
    struct item *item = keeper->items[0];
    pthread_mutex_lock(&keeper->mutex);
    item->healthy_saved = true;
    keeper_queue_set(keeper, item, CLOCK_NEVER);
    pthread_mutex_unlock(&keeper->mutex);
    assert_int_equal(ratchet_write(f->state, item->key, "healthy", item->envelope, item->envelope_n, &err),
                     0);
    assert_int_equal(
        take(f, 2, (const struct said[]){{&first, 1, COUNTS}, {&second, 2, COUNTS}, {0}}, &new, &err), 0);
    assert_int_equal(offer(f, keeper, &second, 2, 7, &err), 0);
    assert_true(item->healthy_saved && item->number.since == 2);
    assert_true(item->due_at == CLOCK_NEVER);
    keeper_stop(keeper);
    /* The healthy one on disk is the older key's, and still the same. */
    keeper = keeper_start(&conf, &err);
    assert_true(keeper->items[0]->healthy_saved && !keeper->items[0]->waits);
    assert_int_equal(keeper->items[0]->number.since, 2);
    keeper_stop(keeper);
}

/* A node with a new disk hears the list, signed by the younger key, before what that signs again has come. */
static void a_fresh_node_waits_for_what_is_signed_again(void **state) {
    struct fixture *f = *state;
    struct err err = {0};
    uint8_t instance[16] = {1};
    char kind[] = "route";
    bool new;
    struct keeper_conf conf = {.node = &f->node, .state = f->state, .apply = apply};
    struct keeper *keeper = keeper_start(&conf, &err);
    Fairlead__V1__SignedListEntry entry = FAIRLEAD__V1__SIGNED_LIST_ENTRY__INIT;
    entry.instance = (ProtobufCBinaryData){sizeof instance, instance};
    entry.kind = kind;
    entry.epoch = 1;
    entry.revision = 7;
    assert_int_equal(
        take(f, 2, (const struct said[]){{&first, 1, COUNTS}, {&second, 2, COUNTS}, {0}}, &new, &err), 0);
    assert_true(keeper_is_fresh(keeper));
    assert_int_equal(offer(f, keeper, &first, 1, 7, &err), 0);
    keeper_floor(keeper, &entry, 2);
    assert_true(keeper->items[0]->below);
    keeper_open(keeper);
    assert_int_equal(offer(f, keeper, &second, 2, 7, &err), 0);
    assert_false(keeper->items[0]->below);
    keeper_stop(keeper);
}

/* What a thief has made well is not begun again at a start; what was retired by plan is. */
static void what_a_thief_signed_is_not_begun_again(void **state) {
    struct fixture *f = *state;
    struct err err = {0};
    bool new;
    struct keeper_conf conf = {.node = &f->node, .state = f->state, .apply = apply};
    struct keeper *keeper = keeper_start(&conf, &err);
    assert_int_equal(offer(f, keeper, &first, 1, 7, &err), 0);
    struct item *item = keeper->items[0];
    assert_int_equal(ratchet_write(f->state, item->key, "healthy", item->envelope, item->envelope_n, &err),
                     0);
    keeper_open(keeper);
    keeper_stop(keeper);
    assert_int_equal(
        take(f, 2, (const struct said[]){{&first, 1, RETIRED}, {&second, 2, COUNTS}, {0}}, &new, &err), 0);
    keeper = keeper_start(&conf, &err);
    assert_false(keeper->items[0]->waits);
    keeper_stop(keeper);
    assert_int_equal(
        take(f, 3,
             (const struct said[]){{&first, 1, STOLEN}, {&second, 2, RETIRED}, {&third, 3, COUNTS}, {0}},
             &new, &err),
        0);
    keeper = keeper_start(&conf, &err);
    assert_true(keeper->items[0]->waits && !keeper->items[0]->healthy_saved);
    keeper_stop(keeper);
}

static int beat(struct fixture *f, struct heartbeat *heartbeat, struct keeper *keeper, uint64_t since,
                int64_t n, struct err *err) {
    uint8_t packed[128], hash[HASH_SIZE] = {0};
    bool ask;
    Fairlead__V1__Heartbeat said = FAIRLEAD__V1__HEARTBEAT__INIT;
    said.node = (ProtobufCBinaryData){sizeof f->node.id.b, f->node.id.b};
    said.n = n;
    said.interval_s = 300;
    said.hash = (ProtobufCBinaryData){sizeof hash, hash};
    const struct opened opened = {ENVELOPE_HEARTBEAT, packed, fairlead__v1__heartbeat__pack(&said, packed),
                                  since};
    return heartbeat_take(heartbeat, &opened, keeper, &ask, err);
}

/* P15: nor is a thief's clock. */
static void no_heartbeat_of_an_older_key_is_too_late(void **state) {
    struct fixture *f = *state;
    struct err err = {0};
    struct keeper_conf conf = {.node = &f->node, .state = f->state, .apply = apply};
    struct keeper *keeper = keeper_start(&conf, &err);
    struct heartbeat *heartbeat = heartbeat_open(&f->node, f->state, &err);
    const int64_t now = 1800000000000000, late = 7000000000000000;
    assert_int_equal(beat(f, heartbeat, keeper, 1, INT64_MAX, &err), -1); /* no time at all */
    assert_int_equal(err.cls, ERR_DEAD);
    assert_int_equal(beat(f, heartbeat, keeper, 1, late, &err), 0);
    assert_true(heartbeat_time(heartbeat) >= late);
    assert_int_equal(beat(f, heartbeat, keeper, 2, now, &err), 0);
    assert_true(heartbeat_time(heartbeat) >= now && heartbeat_time(heartbeat) < late);
    assert_int_equal(beat(f, heartbeat, keeper, 1, late + 1, &err), 0); /* says nothing any more */
    assert_true(heartbeat_time(heartbeat) < late);
    heartbeat_close(heartbeat);
    heartbeat = heartbeat_open(&f->node, f->state, &err);
    assert_int_equal(beat(f, heartbeat, keeper, 1, late + 2, &err), 0);
    assert_true(heartbeat_time(heartbeat) < late);
    heartbeat_close(heartbeat);
    keeper_stop(keeper);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_set_is_the_roots_and_nobody_elses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_set_says_what_can_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_set_follows_and_forgets_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_retired_key_signs_counts_no_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_revision_of_an_older_key_is_too_high, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_signed_again_is_as_well_as_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fresh_node_waits_for_what_is_signed_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_thief_signed_is_not_begun_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_heartbeat_of_an_older_key_is_too_late, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
