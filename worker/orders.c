/* Reading orders. The poll thread never works and job threads never poll. Of a topic of long jobs one record
 * of a partition is worked on at a time, and a partition that has brought many is paused until they are done
 * (not earlier: a partition that was paused is fetched again only after the broker has answered the fetch
 * that is under way, seconds later). The one job thread of a topic of short ones takes all that has come, so
 * that their reports travel together. An offset is stored after the report of its record is delivered. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "io/kcons.h"
#include "node/envelope.h"
#include "worker/perform.h"
#include "worker/worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUEUE_MAX 256 /* records of short jobs in hand, above which nothing is read */
#define TAKE_MAX 128
#define IN_HAND_MAX 8 /* records of one partition of long jobs, above which it is paused */

struct job {
    struct job *next;
    char topic[64];
    int32_t partition;
    int64_t offset;
    unsigned assignment;
    void *bytes;
    size_t n;
};

/* A partition. */
struct lane {
    int in_hand; /* read and not settled; the poll thread's */
    bool paused; /* the poll thread's */
    bool busy;   /* a record of it is being worked on; under the mutex */
};

struct orders {
    struct worker *worker;
    const struct orders_manner *manner;
    const char *topic, *kind; /* kind: what its name ends with */
    char group[ORDER_GROUP_SIZE], audience[32];
    struct lane *lanes; /* by partition: those that brought something */
    int lanes_n;
    pthread_t poller, *threads;
    int threads_n;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    struct job *head, **tail, *finished, **finished_tail;
    int queued;
    atomic_bool stopping;
    struct kcons *kcons;
    unsigned assignment;  /* of it, as last seen */
    unsigned certificate; /* the consumer was made by: node_identity.renewed */
};

/* What a record holds, carried out; reports that were not sent yet are added. The parsed orders stay until
 * the reports are packed. False: cut short. */
static bool work(struct orders *orders, const struct job *job, struct arena *arena, struct vec *reports,
                 struct vec *parsed) {
    struct err err = {0};
    struct opened opened;
    struct key_set set = node_key_set(&orders->worker->host->node);
    if (envelope_open(&set.ring, job->bytes, job->n, arena, &opened, &err) < 0 ||
        !str_eq(opened.type, ENVELOPE_ORDERS)) {
        log_error("a record was refused", LOG_S("topic", job->topic),
                  LOG_S("error", err.text[0] ? err.text : "not orders"));
        return true;
    }
    Fairlead__V1__Orders *batch = fairlead__v1__orders__unpack(NULL, opened.n, opened.payload);
    if (!batch)
        return true;
    *vec_add(arena, parsed, Fairlead__V1__Orders *) = batch;
    if (!str_eq(batch->audience, orders->audience)) { /* whoever owns the broker may have moved it here */
        log_error("a record was refused", LOG_S("topic", job->topic), LOG_S("error", "it is for others"),
                  LOG_S("audience", batch->audience));
        return true;
    }
    log_debug(LOG_ORDERS, "a record", LOG_S("topic", job->topic), LOG_I("partition", job->partition),
              LOG_I("offset", job->offset), LOG_I("orders", batch->n_orders));
    if (orders->manner->side_by_side)
        return perform_side_by_side(orders->worker, orders->kind, batch);
    for (size_t i = 0; i < batch->n_orders; i++) {
        Fairlead__V1__Report *report = NULL;
        if (!perform_one(orders->worker, orders->kind, batch, i, arena, &report))
            return false;
        *vec_add(arena, reports, Fairlead__V1__Report *) = report;
    }
    return true;
}

/* The poll thread's: there is one for each partition that a record came from. */
static struct lane *open_lane(struct orders *orders, int32_t partition) {
    if (partition >= orders->lanes_n) {
        struct lane *lanes = mem_alloc(((size_t)partition + 1) * sizeof *lanes);
        pthread_mutex_lock(&orders->mutex);
        if (orders->lanes_n)
            memcpy(lanes, orders->lanes, (size_t)orders->lanes_n * sizeof *lanes);
        free(orders->lanes);
        orders->lanes = lanes;
        orders->lanes_n = partition + 1;
        pthread_mutex_unlock(&orders->mutex);
    }
    return &orders->lanes[partition];
}

/* Where the first record hangs whose turn it is: any, or one of a partition that rests. */
static struct job **find(struct orders *orders) {
    struct job **job = &orders->head;
    while (*job && orders->manner->in_turn && orders->lanes[(*job)->partition].busy)
        job = &(*job)->next;
    return job;
}

static struct job *take(struct orders *orders) {
    struct job **first;
    pthread_mutex_lock(&orders->mutex);
    while (!*(first = find(orders)) && !orders->stopping)
        pthread_cond_wait(&orders->cond, &orders->mutex);
    struct job *taken = orders->stopping ? NULL : *first, *last = taken;
    for (int n = 1; last && last->next && !orders->manner->in_turn && n < TAKE_MAX; n++)
        last = last->next;
    if (last) {
        *first = last->next;
        if (!*first)
            orders->tail = first;
        last->next = NULL;
        orders->lanes[taken->partition].busy = orders->manner->in_turn;
    }
    pthread_mutex_unlock(&orders->mutex);
    return taken;
}

static void hand_back(struct orders *orders, struct job *taken) {
    pthread_mutex_lock(&orders->mutex);
    if (orders->manner->in_turn) {
        orders->lanes[taken->partition].busy = false;
        pthread_cond_signal(&orders->cond);
    }
    *orders->finished_tail = taken;
    while (*orders->finished_tail)
        orders->finished_tail = &(*orders->finished_tail)->next;
    pthread_mutex_unlock(&orders->mutex);
}

static void *run_jobs(void *arg) {
    struct orders *orders = arg;
    struct job *taken;
    while ((taken = take(orders))) {
        struct arena arena = {0};
        struct vec reports = {0}, parsed = {0};
        bool whole = true;
        (void)fault_reach(FAULT_WORKER_POLLED);
        for (const struct job *job = taken; job && whole; job = job->next)
            whole = work(orders, job, &arena, &reports, &parsed);
        (void)fault_reach(FAULT_WORKER_DONE);
        bool delivered = whole && reporter_send(orders->worker->host->reporter, reports.items, reports.n);
        (void)fault_reach(FAULT_WORKER_REPORTED);
        for (size_t i = 0; i < parsed.n; i++)
            fairlead__v1__orders__free_unpacked(*vec_at(&parsed, Fairlead__V1__Orders *, i), NULL);
        arena_release(&arena);
        if (!delivered)
            break; /* the program ends: the orders come again */
        hand_back(orders, taken);
    }
    return NULL;
}

static void free_job(struct job *job) {
    free(job->bytes);
    free(job);
}

/* After a rebalance: what has not begun belongs to whoever reads its partition now, and comes again from the
 * last stored offset if that is us. */
static void drop_queued(struct orders *orders) {
    pthread_mutex_lock(&orders->mutex);
    struct job *job = orders->head;
    orders->head = NULL;
    orders->tail = &orders->head;
    for (struct job *next; job; job = next) {
        next = job->next;
        orders->lanes[job->partition].in_hand--;
        free_job(job);
        orders->queued--;
    }
    for (int i = 0; i < orders->lanes_n; i++) /* an assignment begins with nothing paused */
        orders->lanes[i].paused = false;
    pthread_mutex_unlock(&orders->mutex);
}

/* The poll thread's part of a finished job: its offset, its partition. */
static int settle_finished(struct orders *orders) {
    int n = 0;
    pthread_mutex_lock(&orders->mutex);
    struct job *finished = orders->finished;
    orders->finished = NULL;
    orders->finished_tail = &orders->finished;
    pthread_mutex_unlock(&orders->mutex);
    /* In the order in which they were read: of each partition the highest offset is stored last. */
    for (struct job *next; finished; finished = next, n++) {
        next = finished->next;
        kcons_done(orders->kcons, finished->topic, finished->partition, finished->offset,
                   finished->assignment);
        struct lane *lane = &orders->lanes[finished->partition];
        if (--lane->in_hand < IN_HAND_MAX && lane->paused) {
            lane->paused = false;
            kcons_resume(orders->kcons, finished->topic, finished->partition);
        }
        free_job(finished);
    }
    pthread_mutex_lock(&orders->mutex);
    orders->queued -= n;
    pthread_mutex_unlock(&orders->mutex);
    return n;
}

static void enqueue(struct orders *orders, const struct kcons_record *record) {
    struct job *job = mem_alloc(sizeof *job);
    (void)snprintf(job->topic, sizeof job->topic, "%s", record->topic);
    job->partition = record->partition;
    job->offset = record->offset;
    job->assignment = record->assignment;
    job->n = record->value_n;
    job->bytes = mem_alloc(record->value_n);
    if (record->value_n)
        memcpy(job->bytes, record->value, record->value_n);
    struct lane *lane = open_lane(orders, record->partition);
    lane->in_hand++;
    if (orders->manner->in_turn && lane->in_hand >= IN_HAND_MAX && !lane->paused) {
        lane->paused = true;
        kcons_pause(orders->kcons, record->topic, record->partition);
    }
    pthread_mutex_lock(&orders->mutex);
    *orders->tail = job;
    orders->tail = &job->next;
    orders->queued++;
    pthread_cond_signal(&orders->cond);
    pthread_mutex_unlock(&orders->mutex);
}

/* A certificate was renewed: the consumer that was made by the one before goes, in the first moment in which
 * nothing is in hand. What is would come again to its heir, and be done twice. */
static bool may_retire(struct orders *orders) {
    if (orders->certificate == atomic_load(&orders->worker->host->node.renewed))
        return false;
    pthread_mutex_lock(&orders->mutex);
    bool idle = orders->queued == 0;
    pthread_mutex_unlock(&orders->mutex);
    return idle;
}

static void *run_poll(void *arg) {
    struct orders *orders = arg;
    const char *topics[] = {orders->topic, NULL};
    while (!orders->stopping) {
        struct err err = {0};
        struct kcons_record record = {0};
        if (orders->kcons && may_retire(orders))
            kcons_close(mem_steal(orders->kcons));
        if (!orders->kcons) {
            orders->certificate = atomic_load(&orders->worker->host->node.renewed);
            struct broker broker = node_broker(&orders->worker->host->node);
            orders->kcons =
                kcons_open_group(&broker, orders->worker->host->node.name, orders->group, topics, &err);
            if (!orders->kcons)
                (void)usleep(500000);
            continue;
        }
        (void)settle_finished(orders);
        /* With jobs in hand it looks often, for their end; else it waits for the broker. */
        /* Reading stops for a moment only: short jobs are done long before the broker gives up on a member
         * that does not ask. Partitions of long ones pause, each by itself. */
        bool full = !orders->manner->in_turn && orders->queued >= QUEUE_MAX;
        int got = full ? 0 : kcons_poll(orders->kcons, orders->queued ? 5 : 250, &record, &err);
        if (full)
            (void)usleep(1000);
        if (kcons_assignment(orders->kcons) != orders->assignment) {
            orders->assignment = kcons_assignment(orders->kcons);
            drop_queued(orders);
        }
        if (got > 0) {
            enqueue(orders, &record);
            kcons_release(&record);
        } else if (got < 0) {
            log_warn("orders", LOG_S("topic", orders->topic), LOG_S("error", err.text));
            if (err.cls == ERR_DEAD) {
                kcons_close(orders->kcons);
                orders->kcons = NULL;
            }
            (void)usleep(err.cls == ERR_DEAD ? 1000000 : 100000);
        }
    }
    return NULL;
}

struct orders *orders_start(struct worker *worker, const struct orders_manner *manner, struct err *err) {
    const struct order_row *row = order_find(manner->step);
    struct orders *orders = mem_alloc(sizeof *orders);
    orders->worker = worker;
    orders->manner = manner;
    orders->topic = row->topic;
    orders->kind = row->topic + sizeof "fairlead.orders." - 1;
    orders->tail = &orders->head;
    orders->finished_tail = &orders->finished;
    order_group(row, orders->group);
    (void)snprintf(orders->audience, sizeof orders->audience, "%s/provider", role_name(row->role));
    pthread_mutex_init(&orders->mutex, NULL);
    pthread_cond_init(&orders->cond, NULL);
    orders->threads = mem_alloc((size_t)manner->threads * sizeof *orders->threads);
    for (; orders->threads_n < manner->threads; orders->threads_n++)
        if (pthread_create(&orders->threads[orders->threads_n], NULL, run_jobs, orders) != 0) {
            (void)err_errno(err, ERR_RETRY, "cannot start a thread");
            return NULL;
        }
    if (pthread_create(&orders->poller, NULL, run_poll, orders) == 0)
        return orders;
    (void)err_errno(err, ERR_RETRY, "cannot start a thread");
    return NULL;
}

void orders_stop(struct orders *orders) {
    if (!orders)
        return;
    pthread_mutex_lock(&orders->mutex);
    orders->stopping = true;
    pthread_cond_broadcast(&orders->cond);
    pthread_mutex_unlock(&orders->mutex);
    for (int i = 0; i < orders->threads_n; i++)
        pthread_join(orders->threads[i], NULL);
    pthread_join(orders->poller, NULL);
    if (orders->kcons)
        (void)settle_finished(orders);
    kcons_close(orders->kcons);
    drop_queued(orders); /* not begun: the partition goes back with it unread */
    pthread_cond_destroy(&orders->cond);
    pthread_mutex_destroy(&orders->mutex);
    free(orders->lanes);
    free(orders->threads);
    free(orders);
}
