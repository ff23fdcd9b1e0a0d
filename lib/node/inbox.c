#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/rnd.h"
#include "base/str.h"
#include "io/tunnel.h"
#include "node/envelope.h"
#include "node/inbox_own.h"

#include <stdlib.h>
#include <string.h>

#define TENANT_TOPIC "fairlead.tenant." /* and the tenant's identity in hex */
#define AGAIN_US (500 * CLOCK_MS)       /* after a connection that failed */
#define ASK_AGAIN_US (15 * CLOCK_S)     /* for the list, while none has come; longer and longer */
#define ASK_AGAIN_MAX_US (300 * CLOCK_S)
#define LOOK_US (60 * CLOCK_S) /* whether the topic is still the one that was read */

/* Every part of the inventory has its whole answer. */
static bool list_came(const struct inbox *inbox) {
    return inbox->parts_n && inbox->whole == inbox->parts_n;
}

static void forget_answers(struct inbox *inbox) {
    free(inbox->answers);
    inbox->answers = NULL;
    inbox->parts_n = inbox->whole = 0;
}

static void send_inventory(struct inbox *inbox) {
    Fairlead__V1__Inventory **parts;
    size_t n = keeper_inventory(inbox->conf.keeper, inbox->nonce, &parts);
    inbox->asked_at = clock_mono_us();
    if (n != inbox->parts_n) { /* the first time, or more is held by now */
        forget_answers(inbox);
        inbox->answers = mem_alloc(n * sizeof *inbox->answers);
        inbox->parts_n = n;
    }
    for (size_t i = 0; i < n; i++) {
        Fairlead__V1__Report report = FAIRLEAD__V1__REPORT__INIT;
        report.body_case = FAIRLEAD__V1__REPORT__BODY_INVENTORY;
        report.inventory = parts[i];
        reporter_post(inbox->conf.reporter, &report);
    }
    keeper_inventory_free(parts, n);
}

/* The parts of an answer come in order, some perhaps twice. An older coordinator answers all at once, and
 * numbers nothing. */
static void count_answer(struct inbox *inbox, const Fairlead__V1__List *list) {
    size_t part = list->inventory_part ? list->inventory_part : 1;
    struct answer *answer = part <= inbox->parts_n ? &inbox->answers[part - 1] : NULL;
    if (!answer || answer->whole || list->part != answer->came + 1)
        return;
    answer->came++;
    answer->whole = list->part == list->parts;
    inbox->whole += answer->whole;
    if (list_came(inbox))
        log_info("the coordinator's list came", LOG_I("parts", inbox->parts_n));
}

static void take_list(struct inbox *inbox, const struct opened *opened) {
    Fairlead__V1__List *list = fairlead__v1__list__unpack(NULL, opened->n, opened->payload);
    if (list && list->nonce.len == 16 && memcmp(list->nonce.data, inbox->nonce, 16) == 0 &&
        list->node.len == 16 && memcmp(list->node.data, inbox->conf.node->id.b, 16) == 0) {
        for (size_t i = 0; i < list->n_entries; i++)
            keeper_floor(inbox->conf.keeper, list->entries[i], opened->since);
        count_answer(inbox, list);
    }
    if (list)
        fairlead__v1__list__free_unpacked(list, NULL);
}

/* A record of another's topic is nobody's: whoever can write to the broker could move it there. */
static bool is_at_home(const struct inbox *inbox, const Fairlead__V1__Document *document, const char *topic) {
    char tenant[sizeof TENANT_TOPIC + 2 * sizeof(struct uuid)] = TENANT_TOPIC;
    if (!inbox->conf.node->is_private)
        return document->tenant.len == 0;
    if (document->tenant.len != sizeof(struct uuid))
        return false;
    hex_encode(tenant + strlen(TENANT_TOPIC), document->tenant.data, sizeof(struct uuid));
    return str_eq(tenant, topic);
}

static int take_document(struct inbox *inbox, const struct kcons_record *record, const struct opened *opened,
                         struct err *err) {
    Fairlead__V1__Document *document = fairlead__v1__document__unpack(NULL, opened->n, opened->payload);
    if (!document)
        return err_set(err, ERR_DEAD, "a document that cannot be read");
    int rc =
        is_at_home(inbox, document, record->topic)
            ? keeper_offer(inbox->conf.keeper, document, opened->since, record->value, record->value_n, err)
            : err_set(err, ERR_DEAD, "a document of another topic");
    fairlead__v1__document__free_unpacked(document, NULL);
    return rc;
}

/* What is for another node of the plane is left unread: a heartbeat tells of what is missing. */
static bool is_for_another(const struct inbox *inbox, const struct kcons_record *record) {
    return inbox->conf.node->is_private && record->key_n > sizeof inbox->conf.node->id.b &&
           memcmp(record->key, inbox->conf.node->id.b, sizeof inbox->conf.node->id.b) != 0;
}

/* A record whose key says so: a set of the coordinator's keys, by the root and by nobody else. */
static bool is_key_set(const struct kcons_record *record) {
    static const char name[] = "keys";
    size_t id = sizeof((struct uuid *)0)->b, n = sizeof name - 1;
    return record->key_n == id + n && memcmp((const uint8_t *)record->key + id, name, n) == 0;
}

static int take_keys(struct inbox *inbox, const struct kcons_record *record, struct err *err) {
    bool new;
    int rc = node_take_keys(inbox->conf.node, record->value, record->value_n, &new, err);
    if (rc == 0 && new)
        log_info("the coordinator's keys are others", LOG_I("set", node_key_set(inbox->conf.node).n));
    return rc;
}

static int take_signed(struct inbox *inbox, const struct kcons_record *record, struct arena *arena,
                       struct err *err) {
    struct opened opened;
    struct key_set set = node_key_set(inbox->conf.node);
    if (envelope_open(&set.ring, record->value, record->value_n, arena, &opened, err) < 0)
        return -1;
    if (str_eq(opened.type, ENVELOPE_HEARTBEAT))
        return heartbeat_take(inbox->conf.heartbeat, &opened, inbox->conf.keeper, &inbox->asks, err);
    if (str_eq(opened.type, ENVELOPE_DOCUMENT))
        return take_document(inbox, record, &opened, err);
    if (str_eq(opened.type, ENVELOPE_LIST))
        take_list(inbox, &opened);
    return 0;
}

int inbox_take(struct inbox *inbox, const struct kcons_record *record) {
    struct arena arena = {0};
    struct err err = {0};
    if (!record->value || is_for_another(inbox, record))
        return 0; /* compaction, never state */
    int rc = is_key_set(record) ? take_keys(inbox, record, &err) : take_signed(inbox, record, &arena, &err);
    bool refused = rc < 0 && err.cls == ERR_DEAD;
    if (refused)
        log_warn("a record was refused", LOG_S("error", err.text), LOG_I("offset", record->offset));
    else if (err.text[0])
        log_error("a record could not be kept", LOG_S("error", err.text));
    arena_release(&arena);
    return rc < 0 && !refused ? -1 : 0;
}

/* A topic that was made again while nobody asked is read from its start: its first records would be skipped.
 * A look that fails says nothing: reading goes on, and whoever is away is told by that. */
static int look_for_another(const struct inbox *inbox, const struct kcons *kcons, int64_t *look_at,
                            struct err *err) {
    struct err ignored = {0};
    bool remade = false;
    if (clock_mono_us() < *look_at)
        return 0;
    *look_at = clock_mono_us() + LOOK_US + (int64_t)(rnd_u64() % (LOOK_US / 4));
    if (kcons_is_incomplete(kcons)) /* the plane's own is read whatever becomes of a tenant's */
        return err_set(err, ERR_RETRY, "a tenant's topic cannot be read: it is tried again");
    struct broker broker = node_broker(inbox->conf.node);
    if (kcons_was_remade(kcons, &broker, &remade, &ignored) < 0 || !remade)
        return 0;
    return err_set(err, ERR_RETRY, "the topic was made again: it is read from its start");
}

/* The topics as they are to be read now; NULL-ended. */
static const char *const *topics_of(const struct inbox *inbox, struct arena *arena) {
    struct vec topics = {0};
    size_t n = 0;
    const struct uuid *tenants = heartbeat_tenants(inbox->conf.heartbeat, &n);
    *vec_add(arena, &topics, const char *) = inbox->conf.node->topic;
    for (size_t i = 0; i < n && inbox->conf.node->is_private; i++) {
        char hex[UUID_HEX_SIZE];
        *vec_add(arena, &topics, const char *) =
            arena_printf(arena, TENANT_TOPIC "%s", uuid_hex(tenants[i], hex));
    }
    *vec_add(arena, &topics, const char *) = NULL;
    return topics.items;
}

/* Reads until an error, the end of the program, or until other topics, or all of them anew, are to be read.
 */
static int read_topics(struct inbox *inbox, const struct loop *loop, struct kcons *kcons, struct err *err) {
    int64_t look_at = clock_mono_us() + LOOK_US;
    bool reached = false;
    unsigned renewed = atomic_load(&inbox->conf.node->renewed), told = heartbeat_told(inbox->conf.heartbeat);
    uint64_t keys = node_key_set(inbox->conf.node).n; /* by others what was refused may be good */
    while (!loop_is_ending(loop) && renewed == atomic_load(&inbox->conf.node->renewed) &&
           told == heartbeat_told(inbox->conf.heartbeat) && keys == node_key_set(inbox->conf.node).n) {
        struct kcons_record record = {0};
        int got = kcons_poll(kcons, reached ? 500 : 50, &record, err);
        if (got < 0)
            return -1;
        if (got > 0) {
            (void)!inbox_take(inbox, &record); /* it is asked for again */
            kcons_release(&record);
        }
        if (look_for_another(inbox, kcons, &look_at, err) < 0)
            return -1;
        bool knows_where = !inbox->conf.node->is_private || heartbeat_is_known(inbox->conf.heartbeat);
        if (!reached && knows_where && kcons_has_reached(kcons)) {
            reached = true;
            inbox->ask_after = ASK_AGAIN_US;
            inbox->asks = false; /* what old heartbeats asked for, this one asks */
            send_inventory(inbox);
        }
        /* A node that knew nothing acts only on what the coordinator's list stands behind. */
        if (reached && (list_came(inbox) || !keeper_is_fresh(inbox->conf.keeper)))
            keeper_open(inbox->conf.keeper);
        if (reached && inbox->asks) { /* what is missing comes with the answer */
            inbox->asks = false;
            forget_answers(inbox);
            rnd_bytes(inbox->nonce, sizeof inbox->nonce);
            send_inventory(inbox);
        }
        if (reached && !list_came(inbox) && clock_mono_us() - inbox->asked_at > inbox->ask_after) {
            inbox->ask_after = inbox->ask_after < ASK_AGAIN_MAX_US ? 2 * inbox->ask_after : ASK_AGAIN_MAX_US;
            send_inventory(inbox);
        }
    }
    return 0;
}

/* Behind a proxy, what it said is why. */
static void tell_failure(const struct err *err) {
    char problem[TUNNEL_PROBLEM_SIZE];
    tunnel_problem(problem);
    log_warn("documents", LOG_S("error", err->text), LOG_S("proxy", problem));
}

/* One connection, until it fails. */
static int64_t turn(const struct loop *loop, void *arg) {
    struct inbox *inbox = arg;
    struct err err = {0};
    struct arena arena = {0};
    forget_answers(inbox);
    rnd_bytes(inbox->nonce, sizeof inbox->nonce);
    struct broker broker = node_broker(inbox->conf.node);
    struct kcons *kcons = kcons_open_topics(&broker, inbox->conf.node->name, topics_of(inbox, &arena), &err);
    if (!kcons || read_topics(inbox, loop, kcons, &err) < 0)
        tell_failure(&err);
    kcons_close(kcons);
    arena_release(&arena);
    return AGAIN_US;
}

struct inbox *inbox_start(const struct inbox_conf *conf, struct err *err) {
    struct inbox *inbox = mem_alloc(sizeof *inbox);
    inbox->conf = *conf;
    inbox->loop = loop_start(conf->node->by_file ? inbox_turn_by_file : turn, inbox, err);
    if (inbox->loop)
        return inbox;
    free(inbox);
    return NULL;
}

void inbox_stop(struct inbox *inbox) {
    if (!inbox)
        return;
    loop_stop(inbox->loop);
    forget_answers(inbox);
    free(inbox);
}
