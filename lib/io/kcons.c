#include "base/clock.h"
#include "base/mem.h"
#include "io/broker_own.h"
#include "io/kcons_own.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOSE_US (3 * CLOCK_S)
#define COMMITTED_MS 3000
static atomic_uint assignments; /* of all consumers */

/* On the polling thread, inside kcons_poll(). A pause outlives the assignment that it was made in (librdkafka
 * 2.0.2): who paused has lost the partition meanwhile and would never resume it. */
static void rebalanced(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *partitions,
                       void *arg) {
    struct kcons *kcons = arg;
    kcons->assignment = atomic_fetch_add(&assignments, 1) + 1;
    kcons_watch_assigned(kcons, code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && partitions->cnt);
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        (void)rd_kafka_resume_partitions(rk, partitions);
    (void)rd_kafka_assign(rk, code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? partitions : NULL);
}

struct kcons *kcons_open_consumer(const struct broker *broker, const char *client, const char *group,
                                  bool by_group, struct err *err) {
    char text[256];
    const char *const settings[][2] = {
        {"group.id", group},
        {"enable.auto.commit", by_group ? "true" : "false"},
        {"auto.commit.interval.ms", "1000"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "earliest"},
        {"session.timeout.ms", "6000"},
        {"heartbeat.interval.ms", "1500"},
        {"fetch.wait.max.ms", by_group ? "2000" : "10000"},
        {"socket.timeout.ms", "15000"},
        {"fetch.min.bytes", "1"},
        {"fetch.error.backoff.ms", "100"},
        {"check.crcs", "true"},
        {"socket.nagle.disable", "true"},
        {"socket.keepalive.enable", "true"},
        {"reconnect.backoff.max.ms", "1000"},
        {"queued.max.messages.kbytes", "8192"},
        {"receive.message.max.bytes", "20000000"},
        {"fetch.max.bytes", "8000000"},
        {"topic.metadata.refresh.interval.ms", "60000"},
        {"allow.auto.create.topics", "false"},
        {0},
    };
    rd_kafka_conf_t *conf = broker_conf(broker, client, settings, err);
    if (!conf)
        return NULL;
    struct kcons *kcons = mem_alloc(sizeof *kcons);
    rd_kafka_conf_set_opaque(conf, kcons);
    rd_kafka_conf_set_rebalance_cb(conf, rebalanced);
    kcons->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!kcons->rk) {
        (void)err_set(err, ERR_RETRY, "kafka consumer: %s", text);
        rd_kafka_conf_destroy(conf);
        free(kcons);
        return NULL;
    }
    (void)rd_kafka_poll_set_consumer(kcons->rk);
    return kcons;
}

struct kcons *kcons_open_group(const struct broker *broker, const char *client, const char *group,
                               const char *const *topics, struct err *err) {
    struct kcons *kcons = kcons_open_consumer(broker, client, group, true, err);
    if (!kcons)
        return NULL;
    kcons->group = mem_strdup(group);
    kcons_watch_assigned(kcons, false);
    kcons->subscription = rd_kafka_topic_partition_list_new(8);
    for (; *topics; topics++)
        (void)rd_kafka_topic_partition_list_add(kcons->subscription, *topics, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(kcons->rk, kcons->subscription);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return kcons;
    (void)err_set(err, ERR_RETRY, "kafka group \"%s\": %s", group, rd_kafka_err2str(code));
    kcons_close(kcons);
    return NULL;
}

struct kcons *kcons_open_share(const struct broker *broker, const char *client, const char *group,
                               const char *topic, struct err *err) {
    struct kcons *kcons = kcons_open_consumer(broker, client, group, true, err);
    if (!kcons)
        return NULL;
    kcons->group = mem_strdup(group);
    kcons->shared = mem_strdup(topic);
    kcons_watch_assigned(kcons, true);
    return kcons;
}

/* Where the group has come to, in each of them. Asked for here: left to the assignment, an answer that a
 * broker cannot give yet (it has just been started) would end the reading of that partition
 * (findings/librdkafka-assigned-before-the-coordinator.sh). */
static rd_kafka_resp_err_t find_offsets(struct kcons *kcons, rd_kafka_topic_partition_list_t *list) {
    if (!list->cnt)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_resp_err_t code = rd_kafka_committed(kcons->rk, list, COMMITTED_MS);
    for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        code = list->elems[i].err;
        if (list->elems[i].offset < 0)
            list->elems[i].offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    return code;
}

int kcons_take(struct kcons *kcons, uint32_t partitions, struct err *err) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(32);
    for (int32_t i = 0; i < 32; i++)
        if (partitions >> i & 1)
            (void)rd_kafka_topic_partition_list_add(list, kcons->shared, i);
    /* Not waited for: the broker answers one connection in order, and the offsets are asked for behind it. */
    (void)rd_kafka_commit(kcons->rk, NULL, 1);
    rd_kafka_resp_err_t code = find_offsets(kcons, list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = rd_kafka_assign(kcons->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return err_set(err, ERR_RETRY, "kafka topic \"%s\": %s", kcons->shared, rd_kafka_err2str(code));
    kcons->assignment = atomic_fetch_add(&assignments, 1) + 1;
    kcons_watch_assigned(kcons, true);
    return 0;
}

/* A consumer that is being destroyed, by a thread of its own. */
struct ending {
    rd_kafka_t *rk;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool done;
};

static void *destroy(void *arg) {
    struct ending *ending = arg;
    rd_kafka_destroy(ending->rk);
    pthread_mutex_lock(&ending->mutex);
    ending->done = true;
    pthread_cond_signal(&ending->cond);
    pthread_mutex_unlock(&ending->mutex);
    return NULL;
}

/* It waits for ever (librdkafka 2.0.2) when a topic that was read is gone; a program must be able to end.
 * What is left behind is one consumer for each loss: one that opens while the topic is gone ends at once. */
static void destroy_in_time(rd_kafka_t *rk) {
    pthread_t thread;
    struct timespec until = clock_mono_timespec(clock_mono_us() + CLOSE_US);
    struct ending *ending = mem_alloc(sizeof *ending);
    ending->rk = rk;
    pthread_mutex_init(&ending->mutex, NULL);
    pthread_cond_init(&ending->cond, NULL);
    bool alone = pthread_create(&thread, NULL, destroy, ending) == 0;
    if (!alone)
        (void)destroy(ending);
    pthread_mutex_lock(&ending->mutex);
    while (!ending->done &&
           pthread_cond_clockwait(&ending->cond, &ending->mutex, CLOCK_MONOTONIC, &until) == 0)
        ;
    bool done = ending->done;
    pthread_mutex_unlock(&ending->mutex);
    if (!done) {
        (void)pthread_detach(thread);
        return;
    }
    if (alone)
        pthread_join(thread, NULL);
    pthread_cond_destroy(&ending->cond);
    pthread_mutex_destroy(&ending->mutex);
    free(ending);
}

void kcons_close(struct kcons *kcons) {
    if (!kcons)
        return;
    (void)rd_kafka_consumer_close(kcons->rk);
    destroy_in_time(kcons->rk);
    kcons_forget_topics(kcons);
    free(kcons->shared);
    free(kcons->group);
    if (kcons->subscription)
        rd_kafka_topic_partition_list_destroy(kcons->subscription);
    free(kcons);
}

int kcons_poll(struct kcons *kcons, int timeout_ms, struct kcons_record *ret, struct err *err) {
    if (kcons_is_forgotten(kcons)) {
        (void)rd_kafka_subscribe(kcons->rk, kcons->subscription);
        return err_set(err, ERR_RETRY, "kafka group \"%s\" has shared out nothing: joined anew",
                       kcons->group);
    }
    if (kcons_is_stuck(kcons))
        return err_set(err, ERR_DEAD, "kafka group \"%s\": what the broker holds does not come: joined anew",
                       kcons->group);
    rd_kafka_message_t *message = rd_kafka_consumer_poll(kcons->rk, timeout_ms);
    if (!message)
        return 0;
    kcons_is_heard(kcons);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        kcons_note_stamp(kcons, message);
        *ret = (struct kcons_record){
            .topic = rd_kafka_topic_name(message->rkt),
            .partition = message->partition,
            .offset = message->offset,
            .assignment = kcons->assignment,
            .key = message->key,
            .key_n = message->key_len,
            .value = message->payload,
            .value_n = message->len,
            .handle = message,
        };
        return 1;
    }
    rd_kafka_resp_err_t code = message->err;
    char text[8];
    bool fatal = rd_kafka_fatal_error(kcons->rk, text, sizeof text) != RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_message_destroy(message);
    if (code == RD_KAFKA_RESP_ERR__PARTITION_EOF ||
        (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED && !kcons->group))
        return 0; /* an assignment needs no right on a group (facts.md) */
    /* What is not ours to read yet may be in a moment: whoever has asked looks again a minute later only. */
    bool barred = kcons->group && (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
                                   code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    return err_set(err, fatal || barred ? ERR_DEAD : ERR_RETRY, "kafka: %s", rd_kafka_err2str(code));
}

void kcons_release(struct kcons_record *record) {
    if (record->handle)
        rd_kafka_message_destroy(record->handle);
    record->handle = NULL;
}

static rd_kafka_topic_partition_list_t *one(const char *topic, int32_t partition) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(list, topic, partition);
    return list;
}

void kcons_done(struct kcons *kcons, const char *topic, int32_t partition, int64_t offset,
                unsigned assignment) {
    if (assignment != kcons->assignment)
        return;
    rd_kafka_topic_partition_list_t *list = one(topic, partition);
    list->elems[0].offset = offset + 1;
    (void)rd_kafka_offsets_store(kcons->rk,
                                 list); /* refused for a partition that was taken: as it should be */
    rd_kafka_topic_partition_list_destroy(list);
}

void kcons_pause(struct kcons *kcons, const char *topic, int32_t partition) {
    rd_kafka_topic_partition_list_t *list = one(topic, partition);
    (void)rd_kafka_pause_partitions(kcons->rk, list);
    kcons->paused++;
    rd_kafka_topic_partition_list_destroy(list);
}

void kcons_resume(struct kcons *kcons, const char *topic, int32_t partition) {
    rd_kafka_topic_partition_list_t *list = one(topic, partition);
    (void)rd_kafka_resume_partitions(kcons->rk, list);
    kcons->paused -= kcons->paused > 0;
    rd_kafka_topic_partition_list_destroy(list);
}

unsigned kcons_assignment(const struct kcons *kcons) {
    return kcons->assignment;
}

bool kcons_holds(struct kcons *kcons, const char *topic, int32_t partition) {
    rd_kafka_topic_partition_list_t *list = NULL;
    if (rd_kafka_assignment(kcons->rk, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    bool holds = rd_kafka_topic_partition_list_find(list, topic, partition) != NULL;
    rd_kafka_topic_partition_list_destroy(list);
    return holds;
}

static int read_lag(struct kcons *kcons, const char *topic, int partitions, int64_t *ret, struct err *err) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int32_t i = 0; i < partitions; i++)
        (void)rd_kafka_topic_partition_list_add(list, topic, i);
    rd_kafka_resp_err_t code = rd_kafka_committed(kcons->rk, list, 3000);
    int64_t lag = 0, low = 0, high = 0;
    for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        code =
            rd_kafka_query_watermark_offsets(kcons->rk, topic, list->elems[i].partition, &low, &high, 1000);
        lag += high - (list->elems[i].offset >= low ? list->elems[i].offset : low);
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return err_set(err, ERR_RETRY, "kafka topic \"%s\": %s", topic, rd_kafka_err2str(code));
    *ret = lag;
    return 0;
}

int kcons_group_lag(const struct broker *broker, const char *group, const char *topic, int partitions,
                    int64_t *ret, struct err *err) {
    struct kcons *kcons = kcons_open_consumer(broker, group, group, false, err);
    int rc = kcons ? read_lag(kcons, topic, partitions, ret, err) : -1;
    kcons_close(kcons);
    return rc;
}
