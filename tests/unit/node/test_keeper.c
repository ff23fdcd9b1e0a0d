/* What a node does with the documents on its disk before it hears anybody (protocol section 7). */
#include "base/file.h"
#include "base/str.h"
#include "node/envelope.h"
#include "node/heartbeat.h"
#include "node/keeper_item.h"
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
    char state[64];
    struct node_identity node;
    struct sign_keys coordinator;
    struct arena arena;
};

static int set_up(void **state) {
    struct fixture *f = mem_alloc(sizeof *f);
    struct err err = {0};
    (void)snprintf(f->state, sizeof f->state, "/tmp/fairlead-keeper-XXXXXX");
    if (sign_init(&err) < 0 || !mkdtemp(f->state))
        return -1;
    sign_keys_make(&f->coordinator);
    (void)keyring_add(&f->node.coordinator.ring, f->coordinator.sign_public);
    f->node.id.b[0] = 1;
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

struct paper {
    uint8_t instance;
    char *kind;
    uint64_t revision;
    bool absent, running;
};

/* As the inbox keeps it: "accepted", or "healthy" beside it. */
static void keep(struct fixture *f, struct paper paper, const char *which) {
    struct err err = {0};
    char hex[33], key[64];
    uint8_t instance[16] = {paper.instance}, content[64], packed[512];
    Fairlead__V1__Document document = FAIRLEAD__V1__DOCUMENT__INIT;
    Fairlead__V1__Stack stack = FAIRLEAD__V1__STACK__INIT;
    stack.running = paper.running;
    document.instance = (ProtobufCBinaryData){sizeof instance, instance};
    document.node = (ProtobufCBinaryData){sizeof f->node.id.b, f->node.id.b};
    document.kind = paper.kind;
    document.epoch = 1;
    document.revision = paper.revision;
    document.absent = paper.absent;
    document.content = (ProtobufCBinaryData){fairlead__v1__stack__pack(&stack, content), content};
    assert_true(fairlead__v1__document__get_packed_size(&document) < sizeof packed);
    size_t n = fairlead__v1__document__pack(&document, packed);
    void *envelope = envelope_make(&f->coordinator, ENVELOPE_DOCUMENT, packed, n, &f->arena, &n);
    hex_encode(hex, instance, sizeof instance);
    (void)snprintf(key, sizeof key, "%s.%s", hex, paper.kind);
    assert_int_equal(ratchet_write(f->state, key, which, envelope, n, &err), 0);
}

/* Nothing is reached, and nothing said. */
static void apply(void *arg, const Fairlead__V1__Document *document, struct keeper_outcome *outcome) {
    (void)arg, (void)document;
    outcome->cut = true;
}

/* How the only document on the disk stands when the node starts. */
static struct item start(struct fixture *f, bool *ret_fresh) {
    struct err err = {0};
    struct keeper_conf conf = {.node = &f->node, .state = f->state, .apply = apply};
    struct keeper *keeper = keeper_start(&conf, &err);
    assert_non_null(keeper);
    pthread_mutex_lock(&keeper->mutex);
    assert_int_equal(keeper->n, 1);
    struct item item = *keeper->items[0];
    item.number.revision = item.document->revision; /* of what is acted on */
    pthread_mutex_unlock(&keeper->mutex);
    *ret_fresh = keeper_is_fresh(keeper);
    keeper_open(keeper);
    keeper_stop(keeper);
    return item;
}

/* A document as it comes from the topic. */
static int offer(struct fixture *f, struct keeper *keeper, char *letter, uint64_t revision, struct err *err) {
    uint8_t instance[16] = {1}, packed[512];
    char kind[] = "stack";
    Fairlead__V1__Document document = FAIRLEAD__V1__DOCUMENT__INIT;
    document.instance = (ProtobufCBinaryData){sizeof instance, instance};
    document.node = (ProtobufCBinaryData){sizeof f->node.id.b, f->node.id.b};
    document.kind = kind;
    document.set = letter;
    document.epoch = 1;
    document.revision = revision;
    size_t n = fairlead__v1__document__pack(&document, packed);
    void *envelope = envelope_make(&f->coordinator, ENVELOPE_DOCUMENT, packed, n, &f->arena, &n);
    return keeper_offer(keeper, &document, 1, envelope, n, err);
}

/* P14: each has a ratchet of its own; a key without a letter means the first. */
static void two_sets_of_an_instance_are_two_things(void **state) {
    struct fixture *f = *state;
    struct err err = {0};
    struct keeper_conf conf = {.node = &f->node, .state = f->state, .apply = apply};
    struct keeper *keeper = keeper_start(&conf, &err);
    char none[] = "", first[] = "a", second[] = "b", path[128];
    assert_int_equal(offer(f, keeper, none, 5, &err), 0);
    assert_int_equal(offer(f, keeper, second, 2, &err), 0);
    assert_int_equal(keeper->n, 2);
    assert_int_equal(offer(f, keeper, first, 4, &err), -1); /* older than what the first has */
    assert_int_equal(err.cls, ERR_DEAD);
    assert_int_equal(offer(f, keeper, second, 3, &err), 0);
    (void)snprintf(path, sizeof path, "%s/documents/01000000000000000000000000000000.stack.accepted",
                   f->state);
    assert_true(file_exists(path));
    (void)snprintf(path, sizeof path, "%s/documents/01000000000000000000000000000000.stack.b.accepted",
                   f->state);
    assert_true(file_exists(path));
    keeper_stop(keeper);
    keeper = keeper_start(&conf, &err); /* both are found again */
    assert_int_equal(keeper->n, 2);
    assert_int_equal(offer(f, keeper, second, 2, &err), -1);
    keeper_stop(keeper);
}

static int asked;

static bool nobody_twice(const struct keeper *keeper, const struct item *item) {
    (void)keeper;
    asked++;
    return !item->busy;
}

/* A node holds thousands; a turn costs what is due. */
static void a_turn_of_five_thousand_looks_at_what_is_due(void **state) {
    enum { ITEMS = 5000, DUE = 7 };
    static struct item items[ITEMS];
    struct item *heap[ITEMS];
    struct keeper keeper = {.items = heap};
    uint32_t random = 1;
    (void)state;
    for (size_t i = 0; i < ITEMS; i++) {
        random = random * 1664525 + 1013904223;
        items[i].due_at = 1000 + random % 100000;
        keeper_queue_add(&keeper, &items[i]);
    }
    for (size_t i = 0; i < ITEMS; i++) { /* anything may be told to be due at another time */
        random = random * 1664525 + 1013904223;
        keeper_queue_set(&keeper, &items[random % ITEMS], 1000 + random % 99991);
    }
    for (size_t i = 0; i < DUE; i++)
        keeper_queue_set(&keeper, &items[i * 600], (int64_t)(100 - i));
    for (size_t i = 0; i < DUE; i++) { /* the one that has been due for longest, each in its turn */
        int64_t next = 500000;
        asked = 0;
        struct item *first = keeper_queue_first(&keeper, 500, nobody_twice, &next);
        assert_ptr_equal(first, &items[(DUE - 1 - i) * 600]);
        assert_true(asked <= DUE);
        first->busy = true;
    }
    int64_t next = 500000, soonest = 500000;
    assert_null(keeper_queue_first(&keeper, 500, nobody_twice, &next));
    for (size_t i = 0; i < ITEMS; i++)
        soonest = items[i].due_at > 500 && items[i].due_at < soonest ? items[i].due_at : soonest;
    assert_int_equal(next, soonest);
}

/* The letter becomes part of a path. */
static void a_set_is_a_letter(void **state) {
    struct fixture *f = *state;
    struct keeper_conf conf = {.node = &f->node, .state = f->state, .apply = apply};
    struct err err = {0};
    struct keeper *keeper = keeper_start(&conf, &err);
    char up[] = "../x", upper[] = "B", two[] = "ab";
    char *const bad[] = {up, upper, two};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err = (struct err){0};
        assert_int_equal(offer(f, keeper, bad[i], 9, &err), -1);
        assert_int_equal(err.cls, ERR_DEAD);
    }
    assert_int_equal(keeper->n, 0);
    keeper_stop(keeper);
}

static void what_was_only_written_down_waits_for_the_topic(void **state) {
    struct fixture *f = *state;
    bool fresh;
    keep(f, (struct paper){1, "stack", 3, false, true}, "accepted");
    assert_true(start(f, &fresh).waits);
    assert_true(fresh); /* it was killed before the list came: it knows as little as at its first start */
    assert_true(start(f, &fresh).waits);
    assert_false(fresh); /* the first of them was opened */
}

static void what_was_healthy_begins_at_once(void **state) {
    struct fixture *f = *state;
    bool fresh;
    keep(f, (struct paper){1, "stack", 3, false, true}, "healthy");
    keep(f, (struct paper){1, "stack", 4, false, true}, "accepted");
    struct item item = start(f, &fresh);
    assert_false(item.waits);
    assert_int_equal(item.number.revision, 3);
}

static void what_says_absent_or_stopped_begins_at_once(void **state) {
    struct fixture *f = *state;
    bool fresh;
    keep(f, (struct paper){1, "stack", 3, false, true}, "healthy");
    keep(f, (struct paper){1, "stack", 4, false, false}, "accepted");
    struct item stopped = start(f, &fresh);
    assert_false(stopped.waits);
    assert_int_equal(stopped.number.revision, 4);
    keep(f, (struct paper){1, "stack", 5, true, false}, "accepted");
    struct item absent = start(f, &fresh);
    assert_false(absent.waits);
    assert_int_equal(absent.number.revision, 5);
}

static void a_route_that_was_not_reached_waits(void **state) {
    struct fixture *f = *state;
    bool fresh;
    keep(f, (struct paper){1, "route", 3, false, false}, "healthy");
    keep(f, (struct paper){1, "route", 4, false, false}, "accepted");
    assert_true(start(f, &fresh).waits);
    keep(f, (struct paper){1, "route", 4, false, false}, "healthy");
    assert_false(start(f, &fresh).waits);
}

/* Stacks that start take as long as they take; all else is done at once. */
static struct slow {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    int starting, most;
    bool routed, released;
} slow = {.mutex = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};

static void apply_slowly(void *arg, const Fairlead__V1__Document *document, struct keeper_outcome *outcome) {
    (void)arg;
    pthread_mutex_lock(&slow.mutex);
    if (str_eq(document->kind, "stack")) {
        slow.starting++;
        slow.most = slow.starting > slow.most ? slow.starting : slow.most;
        pthread_cond_broadcast(&slow.cond);
        while (!slow.released)
            pthread_cond_wait(&slow.cond, &slow.mutex);
        slow.starting--;
    } else {
        slow.routed = true;
        pthread_cond_broadcast(&slow.cond);
    }
    pthread_mutex_unlock(&slow.mutex);
    outcome->cut = true;
}

static void a_route_never_waits_for_apps_that_start(void **state) {
    struct fixture *f = *state;
    struct err err = {0};
    for (uint8_t i = 1; i <= 12; i++) {
        keep(f, (struct paper){i, "stack", 1, false, true}, "healthy");
        keep(f, (struct paper){i, "stack", 1, false, true}, "accepted");
    }
    keep(f, (struct paper){99, "route", 1, false, false}, "healthy");
    keep(f, (struct paper){99, "route", 1, false, false}, "accepted");
    struct keeper_conf conf = {.node = &f->node, .state = f->state, .apply = apply_slowly};
    struct keeper *keeper = keeper_start(&conf, &err);
    keeper_open(keeper);
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&slow.mutex);
    while ((!slow.routed || slow.starting < KEEPER_THREADS - 1) &&
           pthread_cond_timedwait(&slow.cond, &slow.mutex, &until) == 0)
        ;
    bool routed = slow.routed;
    int most = slow.most;
    slow.released = true;
    pthread_cond_broadcast(&slow.cond);
    pthread_mutex_unlock(&slow.mutex);
    keeper_stop(keeper);
    assert_true(routed);
    assert_int_equal(most, KEEPER_THREADS - 1);
}

/* What a heartbeat would say of two documents, of which one is to be absent: of the other, at that revision.
 */
static Fairlead__V1__Heartbeat beat_of(const struct fixture *f, int64_t n, uint64_t revision,
                                       struct hash *hash) {
    Fairlead__V1__Heartbeat said = FAIRLEAD__V1__HEARTBEAT__INIT;
    char line[100];
    (void)snprintf(line, sizeof line, "01000000000000000000000000000000.stack 1 %llu",
                   (unsigned long long)revision);
    *hash = hash_sha256(line, strlen(line), "", 0);
    said.node = (ProtobufCBinaryData){16, (uint8_t *)f->node.id.b};
    said.n = n;
    said.interval_s = 600;
    said.documents = 1;
    said.hash = (ProtobufCBinaryData){HASH_SIZE, hash->b};
    return said;
}

static int take_beat(struct heartbeat *heartbeat, struct keeper *keeper, const Fairlead__V1__Heartbeat *said,
                     bool *ret_ask, struct err *err) {
    uint8_t packed[256];
    size_t n = fairlead__v1__heartbeat__pack(said, packed);
    *err = (struct err){0};
    return heartbeat_take(heartbeat, &(struct opened){ENVELOPE_HEARTBEAT, packed, n, 1}, keeper, ret_ask,
                          err);
}

/* P13: an old heartbeat is none, also after a restart; one that is about other documents twice makes doubt,
 * and one that fits ends it. */
static void what_is_withheld_is_noticed(void **state) {
    struct fixture *f = *state;
    struct err err = {0};
    struct hash hash;
    bool ask;
    keep(f, (struct paper){.instance = 1, .kind = "stack", .revision = 3}, "accepted");
    keep(f, (struct paper){.instance = 2, .kind = "stack", .revision = 9, .absent = true}, "accepted");
    struct keeper_conf conf = {.node = &f->node, .state = f->state, .apply = apply};
    struct keeper *keeper = keeper_start(&conf, &err);
    struct heartbeat *heartbeat = heartbeat_open(&f->node, f->state, &err);
    assert_non_null(keeper);
    assert_non_null(heartbeat);
    assert_null(heartbeat_doubt(heartbeat));
    Fairlead__V1__Heartbeat good = beat_of(f, 10, 3, &hash);
    assert_int_equal(take_beat(heartbeat, keeper, &good, &ask, &err), 0);
    assert_false(ask);
    assert_null(heartbeat_doubt(heartbeat));
    struct hash other;
    Fairlead__V1__Heartbeat newer = beat_of(f, 11, 4, &other);
    assert_int_equal(take_beat(heartbeat, keeper, &newer, &ask, &err), 0);
    assert_true(ask); /* it may be on its way */
    assert_null(heartbeat_doubt(heartbeat));
    assert_int_equal(take_beat(heartbeat, keeper, &newer, &ask, &err), 0);
    assert_false(ask); /* repeated, it is no second one */
    assert_null(heartbeat_doubt(heartbeat));
    newer.n = 12;
    assert_int_equal(take_beat(heartbeat, keeper, &newer, &ask, &err), 0);
    assert_string_equal(heartbeat_doubt(heartbeat), "withheld");
    good.n = 9;
    assert_int_equal(take_beat(heartbeat, keeper, &good, &ask, &err), 0); /* an old one that would fit */
    assert_string_equal(heartbeat_doubt(heartbeat), "withheld");
    good.n = 13;
    assert_int_equal(take_beat(heartbeat, keeper, &good, &ask, &err), 0);
    assert_null(heartbeat_doubt(heartbeat));
    heartbeat_close(heartbeat);
    heartbeat = heartbeat_open(&f->node, f->state, &err);
    Fairlead__V1__Heartbeat old = beat_of(f, 13, 4, &other);
    assert_int_equal(take_beat(heartbeat, keeper, &old, &ask, &err), 0);
    assert_false(ask);
    struct uuid stranger = {{7}};
    good.n = 14;
    good.node = (ProtobufCBinaryData){16, stranger.b};
    assert_int_equal(take_beat(heartbeat, keeper, &good, &ask, &err), -1);
    assert_int_equal(
        heartbeat_take(heartbeat, &(struct opened){ENVELOPE_HEARTBEAT, "\xff\xff", 2, 1}, keeper, &ask, &err),
        -1);
    heartbeat_close(heartbeat);
    keeper_stop(keeper);
}

/* What is brought is judged as a whole: what it lacks is withheld, whatever was left out of it, its heartbeat
 * too, and also after a restart; while it is read there is doubt, because what is to go may come first. */
static void a_bundle_is_judged_as_a_whole(void **state) {
    struct fixture *f = *state;
    struct err err = {0};
    struct hash hash, other;
    bool ask;
    f->node.by_file = true;
    keep(f, (struct paper){.instance = 1, .kind = "stack", .revision = 3}, "accepted");
    struct keeper_conf conf = {.node = &f->node, .state = f->state, .apply = apply};
    struct keeper *keeper = keeper_start(&conf, &err);
    struct heartbeat *heartbeat = heartbeat_open(&f->node, f->state, &err);
    Fairlead__V1__Heartbeat good = beat_of(f, 10, 3, &hash), lacking = beat_of(f, 11, 4, &other);
    assert_string_equal(heartbeat_doubt(heartbeat), "withheld"); /* nothing was judged yet */
    heartbeat_judge(heartbeat, keeper);
    assert_null(heartbeat_doubt(heartbeat));
    heartbeat_hold(heartbeat);
    assert_int_equal(take_beat(heartbeat, keeper, &good, &ask, &err), 0);
    assert_string_equal(heartbeat_doubt(heartbeat), "withheld"); /* it is being read */
    heartbeat_judge(heartbeat, keeper);
    assert_null(heartbeat_doubt(heartbeat));
    assert_int_equal(take_beat(heartbeat, keeper, &lacking, &ask, &err), 0);
    heartbeat_judge(heartbeat, keeper);
    assert_string_equal(heartbeat_doubt(heartbeat), "withheld");
    /* An older bundle, and one without a heartbeat, end no doubt; nor does another start. */
    assert_int_equal(take_beat(heartbeat, keeper, &good, &ask, &err), 0);
    heartbeat_judge(heartbeat, keeper);
    assert_string_equal(heartbeat_doubt(heartbeat), "withheld");
    heartbeat_close(heartbeat);
    heartbeat = heartbeat_open(&f->node, f->state, &err);
    assert_non_null(heartbeat);
    assert_int_equal(heartbeat_newest(heartbeat), 11);
    heartbeat_judge(heartbeat, keeper);
    assert_string_equal(heartbeat_doubt(heartbeat), "withheld");
    keeper_stop(keeper);
    /* The rest has come, without any heartbeat of its own. */
    keep(f, (struct paper){.instance = 1, .kind = "stack", .revision = 4}, "accepted");
    keeper = keeper_start(&conf, &err);
    heartbeat_judge(heartbeat, keeper);
    assert_null(heartbeat_doubt(heartbeat));
    heartbeat_close(heartbeat);
    keeper_stop(keeper);
}

/* A machine that never acted on a bundle acts on nothing that it has written down, whatever that says. */
static void what_an_old_bundle_brought_waits(void **state) {
    struct fixture *f = *state;
    bool fresh;
    f->node.by_file = true;
    keep(f, (struct paper){1, "stack", 5, true, false}, "accepted");
    assert_true(start(f, &fresh).waits);
    assert_true(fresh);
    char path[100];
    struct err err = {0};
    (void)snprintf(path, sizeof path, "%s/opened", f->state);
    assert_int_equal(file_write(path, "", 0, 0600, &err), 0);
    assert_false(start(f, &fresh).waits);
    assert_false(fresh);
}

/* An agent is told whose topics it reads; what is on one that it did not know cannot be held yet. */
static void tenants_are_told_and_remembered(void **state) {
    struct fixture *f = *state;
    struct err err = {0};
    struct hash hash;
    bool ask;
    size_t n;
    struct uuid one = {{1}}, two = {{2}};
    ProtobufCBinaryData tenants[] = {{sizeof one.b, one.b}, {sizeof two.b, two.b}};
    struct keeper_conf conf = {.node = &f->node, .state = f->state, .apply = apply};
    struct keeper *keeper = keeper_start(&conf, &err);
    struct heartbeat *heartbeat = heartbeat_open(&f->node, f->state, &err);
    assert_false(heartbeat_is_known(heartbeat));
    Fairlead__V1__Heartbeat said = beat_of(f, 10, 1, &hash); /* of a document that is nowhere */
    said.tenants = tenants;
    said.n_tenants = 1;
    unsigned told = heartbeat_told(heartbeat);
    assert_int_equal(take_beat(heartbeat, keeper, &said, &ask, &err), 0);
    assert_true(heartbeat_is_known(heartbeat) && heartbeat_told(heartbeat) != told);
    assert_false(ask);
    told = heartbeat_told(heartbeat);
    said.n = 11;
    assert_int_equal(take_beat(heartbeat, keeper, &said, &ask, &err), 0);
    assert_true(ask && heartbeat_told(heartbeat) == told);
    said.n = 12;
    said.n_tenants = 2;
    assert_int_equal(take_beat(heartbeat, keeper, &said, &ask, &err), 0);
    assert_false(ask);
    assert_null(heartbeat_doubt(heartbeat)); /* once, and then of another topic */
    said.n = 9;                              /* an old one says nothing, of tenants either */
    said.n_tenants = 0;
    assert_int_equal(take_beat(heartbeat, keeper, &said, &ask, &err), 0);
    heartbeat_close(heartbeat);
    heartbeat = heartbeat_open(&f->node, f->state, &err);
    assert_true(heartbeat_is_known(heartbeat));
    const struct uuid *kept = heartbeat_tenants(heartbeat, &n);
    assert_int_equal(n, 2);
    assert_true(uuid_eq(kept[0], one) && uuid_eq(kept[1], two));
    heartbeat_close(heartbeat);
    keeper_stop(keeper);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_withheld_is_noticed, set_up, tear_down),
        TEST(a_bundle_is_judged_as_a_whole),
        TEST(what_an_old_bundle_brought_waits),
        TEST(tenants_are_told_and_remembered),
        TEST(what_was_only_written_down_waits_for_the_topic),
        TEST(what_was_healthy_begins_at_once),
        TEST(what_says_absent_or_stopped_begins_at_once),
        TEST(a_route_that_was_not_reached_waits),
        TEST(a_route_never_waits_for_apps_that_start),
        TEST(two_sets_of_an_instance_are_two_things),
        TEST(a_set_is_a_letter),
        TEST(a_turn_of_five_thousand_looks_at_what_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
