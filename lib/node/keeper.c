#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/retry.h"
#include "base/rnd.h"
#include "base/str.h"
#include "node/document.h"
#include "node/keeper_item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WATCHING_MAX 2        /* of the threads: what changes the machine goes first */
#define FAILING_MAX 2         /* of the threads, with what failed the last time */
#define FAILING_WATCHES_MAX 1 /* of those that watch */
#define STACKS_MAX                                                                                           \
    (KEEPER_THREADS - 1) /* of the threads: a start may take minutes, a route never waits so long */
#define LOOK_US (30 * CLOCK_S)
#define WATCH_US (45 * CLOCK_S) /* at most, and at least 30 s: a wrong "ok" must not last a minute */
#define GONE_US (3600 * CLOCK_S)
#define ITEMS_MAX 5000 /* of what is to be there; what is absent is only remembered */

static struct item *find(const struct keeper *keeper, const char *key) {
    struct item *item;
    HASH_FIND_STR(keeper->by_key, key, item);
    return item;
}

static struct item *add(struct keeper *keeper, const Fairlead__V1__Document *document) {
    struct item *item = mem_alloc(sizeof *item);
    keeper_key_of(document, item->key);
    memcpy(item->instance.b, document->instance.data, sizeof item->instance.b);
    keeper->items = mem_grow(keeper->items, keeper->n + 1, sizeof *keeper->items);
    keeper_queue_add(keeper, item);
    HASH_ADD_STR(keeper->by_key, key, item);
    return item;
}

/* Takes the document; keeps a copy of its envelope. */
static void set_document(struct item *item, Fairlead__V1__Document *document, const void *envelope,
                         size_t n) {
    if (item->document)
        fairlead__v1__document__free_unpacked(item->document, NULL);
    free(item->envelope);
    item->document = document;
    item->envelope = mem_alloc(n);
    memcpy(item->envelope, envelope, n);
    item->envelope_n = n;
    item->healthy_saved = false;
}

/* Boot: the last healthy one, unless the accepted one says absent or stopped. What has neither waits until
 * the topic is read. */
static int load_one(void *arg, const void *accepted, size_t accepted_n, const void *healthy, size_t healthy_n,
                    struct err *err) {
    struct keeper *keeper = arg;
    uint64_t since = 0;
    Fairlead__V1__Document *document =
        node_document_open(keeper->conf.node, accepted, accepted_n, &since, err);
    if (!document) /* going on without it would forget the ratchet: an older revision would be new */
        return err_set(err, ERR_PARK,
                       "a document in the state folder cannot be read: restore it, or enrol anew");
    if (!keeper_addresses(keeper, document)) { /* of a node that this machine was before */
        fairlead__v1__document__free_unpacked(document, NULL);
        return 0;
    }
    struct item *item = add(keeper, document);
    item->number = (struct ratchet_number){since, document->epoch, document->revision};
    bool start_new = document->absent || !keeper_wants_running(document);
    struct key_set keys = node_key_set(keeper->conf.node);
    Fairlead__V1__Document *last =
        healthy ? node_document_open_healthy(keeper->conf.node, healthy, healthy_n) : NULL;
    bool proven = last && node_document_is(last, document);
    if (last && !start_new && !proven) {
        fairlead__v1__document__free_unpacked(document, NULL);
        set_document(item, last, healthy, healthy_n);
        item->healthy_saved = true;
    } else {
        /* Written down, and perhaps never acted on: what came after it was not read. */
        bool stops = document->absent || (start_new && !str_eq(document->kind, "route"));
        item->waits = (!stops && !proven) || key_set_is_stolen(&keys, since) || keeper->unopened;
        set_document(item, document, accepted, accepted_n);
        item->healthy_saved = proven;
        fairlead__v1__document__free_unpacked(last, NULL);
    }
    return 0;
}

/* One after another for one instance; a watch changes nothing, so it waits for nobody and nobody for it. But
 * apps that accept and hang, or never become healthy, must not hold every thread. */
static bool is_free(const struct keeper *keeper, const struct item *item) {
    bool watch = str_eq(item->document->kind, "watch"), stack = str_eq(item->document->kind, "stack");
    int watching = 0, failing = 0, failing_watches = 0, stacks = 0;
    for (size_t i = 0; i < KEEPER_THREADS; i++) {
        const struct item *other = keeper->busy[i];
        if (!other)
            continue;
        stacks += str_eq(other->document->kind, "stack");
        bool other_watch = str_eq(other->document->kind, "watch");
        watching += other_watch;
        failing += other->failures > 0;
        failing_watches += other->failures > 0 && other_watch;
        if (!watch && !other_watch && uuid_eq(other->instance, item->instance))
            return false;
    }
    if (item->failures > 0 && (failing >= FAILING_MAX || (watch && failing_watches >= FAILING_WATCHES_MAX)))
        return false;
    return !item->busy && !(watch && watching >= WATCHING_MAX) && !(stack && stacks >= STACKS_MAX);
}

/* What came before the topic was read to its end waits for that. */
static bool may_take(const struct keeper *keeper, const struct item *item) {
    return !item->below && (!item->waits || keeper->open) && is_free(keeper, item);
}

/* The item that has been due for longest, so that a few broken apps cannot starve the rest: what is new is
 * due since ever. */
static struct item *take(struct keeper *keeper) {
    while (!keeper->stopping) {
        int64_t now = clock_mono_us(), next = now + LOOK_US;
        struct item *first = keeper_queue_first(keeper, now, may_take, &next);
        if (first)
            return first;
        struct timespec until = clock_mono_timespec(next);
        (void)pthread_cond_clockwait(&keeper->cond, &keeper->mutex, CLOCK_MONOTONIC, &until);
    }
    return NULL;
}

static struct taken take_copy(const struct item *item) {
    struct taken taken = {.document = keeper_copy(item->document),
                          .envelope = mem_alloc(item->envelope_n),
                          .envelope_n = item->envelope_n,
                          .healthy_saved = item->healthy_saved,
                          .said = item->said,
                          .since = item->number.since};
    memcpy(taken.envelope, item->envelope, item->envelope_n);
    memcpy(taken.condition, item->condition, sizeof taken.condition);
    memcpy(taken.problem, item->problem, sizeof taken.problem);
    return taken;
}

static bool is_current(const struct item *item, const struct taken *taken) {
    return item->number.since == taken->since && item->document->revision == taken->document->revision &&
           item->document->epoch == taken->document->epoch;
}

static int64_t delay_of(const struct item *item, const struct taken *taken,
                        const struct keeper_outcome *outcome) {
    if (outcome->result.class == RESULT_IS_RETRY)
        return retry_delay_us(item->failures, 2 * CLOCK_S, LOOK_US, rnd_u64());
    /* What is gone is looked at now and then only: there will be many of them. */
    if (outcome->result.class == RESULT_IS_OK && taken->document->absent)
        return GONE_US;
    if (str_eq(taken->document->kind, "watch"))
        return WATCH_US - (int64_t)(rnd_u64() % (15 * CLOCK_S));
    return LOOK_US;
}

/* A place among those that are being applied, taken or given back. */
static void set_busy(struct keeper *keeper, const struct item *from, const struct item *to) {
    size_t i = 0;
    while (keeper->busy[i] != from)
        i++;
    keeper->busy[i] = to;
}

static void *run(void *arg) {
    struct keeper *keeper = arg;
    struct item *item;
    pthread_mutex_lock(&keeper->mutex);
    while ((item = take(keeper))) {
        struct arena arena = {0};
        struct keeper_outcome outcome = {.arena = &arena, .known = item->healthy_saved};
        struct taken taken = take_copy(item);
        item->busy = true;
        set_busy(keeper, NULL, item);
        keeper_queue_set(keeper, item, CLOCK_NEVER);
        item->resent = false;
        pthread_mutex_unlock(&keeper->mutex);
        int64_t began = clock_mono_us();
        keeper->conf.apply(keeper->conf.arg, taken.document, &outcome);
        log_debug(LOG_KEEPER, "a document", LOG_S("key", item->key),
                  LOG_I("revision", taken.document->revision),
                  LOG_S("result", result_class_name(outcome.result.class)),
                  LOG_S("drift", outcome.drift ? outcome.drift : ""), LOG_I("us", clock_mono_us() - began));
        pthread_mutex_lock(&keeper->mutex);
        /* A newer document may have come meanwhile: then this result is about the old one and proves nothing.
         */
        bool current = is_current(item, &taken) && !outcome.cut;
        pthread_mutex_unlock(&keeper->mutex);
        if (current)
            keeper_conclude(keeper, item->key, &taken, &outcome);
        pthread_mutex_lock(&keeper->mutex);
        if (current && is_current(item, &taken)) {
            item->healthy_saved = taken.healthy_saved;
            item->said = item->resent ? 0 : taken.said;
            memcpy(item->condition, taken.condition, sizeof item->condition);
            memcpy(item->problem, taken.problem, sizeof item->problem);
        }
        item->failures = outcome.result.class == RESULT_IS_OK ? 0 : item->failures + 1;
        if (item->due_at == CLOCK_NEVER)
            keeper_queue_set(keeper, item,
                             clock_mono_us() + (outcome.cut ? LOOK_US
                                                : current   ? delay_of(item, &taken, &outcome)
                                                            : 0));
        item->busy = false;
        set_busy(keeper, item, NULL);
        pthread_cond_broadcast(&keeper->cond);
        fairlead__v1__document__free_unpacked(taken.document, NULL);
        free(taken.envelope);
        str_release(&outcome.result.log);
        arena_release(&arena);
    }
    pthread_mutex_unlock(&keeper->mutex);
    return NULL;
}

/* On disk, synced, before anything is done; only then is it held. */
static int accept(struct keeper *keeper, struct item *item, const char *key, struct ratchet_number number,
                  const Fairlead__V1__Document *document, const void *envelope, size_t n, struct err *err) {
    if (ratchet_write(keeper->conf.state, key, "accepted", envelope, n, err) < 0)
        return -1;
    (void)fault_reach(FAULT_KEEPER_ACCEPTED);
    if (!item)
        item = add(keeper, document);
    item->number = number;
    set_document(item, keeper_copy(document), envelope, n);
    item->failures = 0;
    keeper_queue_set(keeper, item, 0);
    item->below = false;
    item->waits = !keeper->open;
    pthread_cond_broadcast(&keeper->cond);
    return 0;
}

/* What is older than the list waits for the newer one that is on its way. */
static void set_below(struct keeper *keeper, struct item *item) {
    item->below = ratchet_compare(item->number, item->floor) < 0;
    pthread_cond_broadcast(&keeper->cond);
}

/* The very same, signed again by a younger key: from now on that is what is held. */
static int accept_again(struct keeper *keeper, struct item *item, uint64_t since, const void *envelope,
                        size_t n, struct err *err) {
    bool healthy_saved = item->healthy_saved;
    if (ratchet_write(keeper->conf.state, item->key, "accepted", envelope, n, err) < 0)
        return -1;
    item->number.since = since;
    set_document(item, keeper_copy(item->document), envelope, n);
    item->healthy_saved =
        healthy_saved && ratchet_write(keeper->conf.state, item->key, "healthy", envelope, n, err) == 0;
    set_below(keeper, item);
    return 0;
}

static size_t count_present(const struct keeper *keeper) {
    size_t n = 0;
    for (size_t i = 0; i < keeper->n; i++)
        n += !keeper->items[i]->document->absent;
    return n;
}

int keeper_offer(struct keeper *keeper, const Fairlead__V1__Document *document, uint64_t since,
                 const void *envelope, size_t n, struct err *err) {
    char key[KEEPER_KEY_SIZE];
    int rc = 0;
    if (!keeper_addresses(keeper, document))
        return err_set(err, ERR_DEAD, "a document for another node, or of no set that can be");
    keeper_key_of(document, key);
    pthread_mutex_lock(&keeper->mutex);
    struct item *item = find(keeper, key);
    struct ratchet_number offered = {since, document->epoch, document->revision};
    bool same = item && keeper_same(item->document, document);
    /* At boot an older healthy one may stand in for what was accepted: then equal numbers say nothing about
     * content. */
    bool stands_in = item && item->document->revision != item->number.revision;
    bool again = same && !stands_in && node_document_is(item->document, document);
    switch (ratchet_judge(item ? item->number : (struct ratchet_number){0}, offered, same || stands_in)) {
    case RATCHET_NEW:
        if (!item && !document->absent && count_present(keeper) >= ITEMS_MAX)
            rc = err_set(err, ERR_DEAD, "this node holds %d documents already", ITEMS_MAX);
        else
            rc = again ? accept_again(keeper, item, since, envelope, n, err)
                       : accept(keeper, item, key, offered, document, envelope, n, err);
        break;
    case RATCHET_SAME:
        if (stands_in) {
            set_document(item, keeper_copy(document), envelope, n);
            item->waits = !keeper->open;
        }
        item->said = 0; /* it was sent again: say again how it stands */
        item->resent = true;
        keeper_queue_set(keeper, item, 0);
        pthread_cond_broadcast(&keeper->cond);
        break;
    case RATCHET_OLDER:
        rc = err_set(err, ERR_DEAD, "an older revision than the one that is held");
        break;
    case RATCHET_ALARM:
        rc = err_set(err, ERR_DEAD, "ALARM: the same revision with other content");
        break;
    }
    pthread_mutex_unlock(&keeper->mutex);
    return rc;
}

/* A node is fresh until it has heard the coordinator's list once, however often it starts until then. */
static void opened_path(const struct keeper *keeper, char out[512]) {
    (void)snprintf(out, 512, "%s/opened", keeper->conf.state);
}

static void remember_opened(const struct keeper *keeper) {
    char path[512];
    struct err err = {0};
    opened_path(keeper, path);
    if (file_write(path, "", 0, 0600, &err) < 0) /* the list is waited for once more, at the next start */
        log_warn("the state folder cannot be written", LOG_S("error", err.text));
}

void keeper_open(struct keeper *keeper) {
    pthread_mutex_lock(&keeper->mutex);
    if (keeper->open) {
        pthread_mutex_unlock(&keeper->mutex);
        return;
    }
    keeper->open = true;
    if (keeper->fresh)
        remember_opened(keeper);
    keeper->fresh = false;
    pthread_cond_broadcast(&keeper->cond);
    pthread_mutex_unlock(&keeper->mutex);
}

void keeper_floor(struct keeper *keeper, const Fairlead__V1__SignedListEntry *entry, uint64_t since) {
    char key[KEEPER_KEY_SIZE];
    if (entry->instance.len != 16)
        return;
    keeper_key(entry->instance.data, entry->kind, entry->set, key);
    pthread_mutex_lock(&keeper->mutex);
    struct item *item = find(keeper, key);
    if (item && keeper->fresh) { /* a node with a history goes on as it is until the newer one comes */
        item->floor = (struct ratchet_number){since, entry->epoch, entry->revision};
        set_below(keeper, item);
    }
    pthread_mutex_unlock(&keeper->mutex);
}

void keeper_hint(struct keeper *keeper, const char *instance) {
    struct uuid id;
    if (!uuid_parse(instance, &id))
        return;
    pthread_mutex_lock(&keeper->mutex);
    for (size_t i = 0; i < keeper->n; i++) {
        struct item *item = keeper->items[i];
        /* Not while it is being applied: its own acts make most events. */
        if (uuid_eq(item->instance, id) && !item->busy && item->due_at > clock_mono_us() + CLOCK_S &&
            item->failures == 0)
            keeper_queue_set(keeper, item, clock_mono_us() + CLOCK_S / 2);
    }
    pthread_cond_broadcast(&keeper->cond);
    pthread_mutex_unlock(&keeper->mutex);
}

bool keeper_is_fresh(struct keeper *keeper) {
    pthread_mutex_lock(&keeper->mutex);
    bool fresh = keeper->fresh;
    pthread_mutex_unlock(&keeper->mutex);
    return fresh;
}

struct keeper *keeper_start(const struct keeper_conf *conf, struct err *err) {
    struct keeper *keeper = mem_alloc(sizeof *keeper);
    keeper->conf = *conf;
    pthread_mutex_init(&keeper->mutex, NULL);
    pthread_cond_init(&keeper->cond, NULL);
    char path[512];
    opened_path(keeper, path);
    keeper->unopened = conf->node->by_file && !file_exists(path);
    if (ratchet_read_all(conf->state, load_one, keeper, err) < 0)
        return NULL;
    keeper->fresh = keeper->n == 0 || !file_exists(path);
    for (int i = 0; i < KEEPER_THREADS; i++)
        if (pthread_create(&keeper->threads[i], NULL, run, keeper) != 0) {
            (void)err_errno(err, ERR_RETRY, "cannot start a thread");
            return NULL;
        }
    return keeper;
}

void keeper_stop(struct keeper *keeper) {
    if (!keeper)
        return;
    pthread_mutex_lock(&keeper->mutex);
    keeper->stopping = true;
    pthread_cond_broadcast(&keeper->cond);
    pthread_mutex_unlock(&keeper->mutex);
    for (int i = 0; i < KEEPER_THREADS; i++)
        pthread_join(keeper->threads[i], NULL);
    HASH_CLEAR(hh, keeper->by_key);
    for (size_t i = 0; i < keeper->n; i++) {
        fairlead__v1__document__free_unpacked(keeper->items[i]->document, NULL);
        free(keeper->items[i]->envelope);
        free(keeper->items[i]);
    }
    free(keeper->items);
    free(keeper);
}
