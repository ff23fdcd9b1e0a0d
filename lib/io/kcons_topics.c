/* A consumer by assignment: whole topics, from their beginning. */
#include "base/mem.h"
#include "base/str.h"
#include "io/kcons_own.h"

#include <stdlib.h>
#include <string.h>

#define ASK_MS 12000 /* of a broker that was just started */

static rd_kafka_topic_partition_list_t *all(const struct kcons *kcons, int64_t offset) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)kcons->topics_n);
    for (size_t i = 0; i < kcons->topics_n; i++)
        rd_kafka_topic_partition_list_add(list, kcons->topics[i].name, 0)->offset = offset;
    return list;
}

/* Before anything is fetched: a broker answers one connection in order, and what is asked waits behind the
 * fetch that was sent before (findings/librdkafka-question-behind-a-fetch.sh). */
static int find_ends(struct kcons *kcons, struct err *err) {
    for (size_t i = 0; i < kcons->topics_n; i++) {
        struct kcons_topic *topic = &kcons->topics[i];
        int64_t low;
        rd_kafka_resp_err_t code =
            rd_kafka_query_watermark_offsets(kcons->rk, topic->name, 0, &low, &topic->end, ASK_MS);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            continue;
        if (i == 0)
            return err_set(err, ERR_RETRY, "kafka topic \"%s\": %s", topic->name, rd_kafka_err2str(code));
        free(topic->name);
        memmove(topic, topic + 1, (kcons->topics_n - i - 1) * sizeof *topic);
        kcons->topics_n--;
        kcons->incomplete = true;
        i--;
    }
    return 0;
}

bool kcons_is_incomplete(const struct kcons *kcons) {
    return kcons->incomplete;
}

static int begin(struct kcons *kcons, struct err *err) {
    rd_kafka_topic_partition_list_t *list = all(kcons, RD_KAFKA_OFFSET_BEGINNING);
    rd_kafka_resp_err_t code = rd_kafka_assign(kcons->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0
                                              : err_set(err, ERR_RETRY, "kafka topic \"%s\": %s",
                                                        kcons->topics[0].name, rd_kafka_err2str(code));
}

struct kcons *kcons_open_topics(const struct broker *broker, const char *client, const char *const *topics,
                                struct err *err) {
    struct kcons *kcons = kcons_open_consumer(broker, client, client, false, err);
    if (!kcons)
        return NULL;
    for (; *topics; topics++) {
        kcons->topics = mem_grow(kcons->topics, kcons->topics_n + 1, sizeof *kcons->topics);
        kcons->topics[kcons->topics_n++] = (struct kcons_topic){.name = mem_strdup(*topics)};
    }
    if (find_ends(kcons, err) == 0 && begin(kcons, err) == 0)
        return kcons;
    kcons_close(kcons);
    return NULL;
}

void kcons_forget_topics(struct kcons *kcons) {
    for (size_t i = 0; i < kcons->topics_n; i++)
        free(kcons->topics[i].name);
    free(kcons->topics);
}

void kcons_note_stamp(struct kcons *kcons, const rd_kafka_message_t *message) {
    rd_kafka_timestamp_type_t type;
    int64_t ms = rd_kafka_message_timestamp(message, &type);
    const char *name = rd_kafka_topic_name(message->rkt);
    for (size_t i = 0; i < kcons->topics_n; i++) {
        struct kcons_topic *topic = &kcons->topics[i];
        if (!str_eq(topic->name, name) || ms < topic->latest_ms)
            continue;
        topic->latest_ms = ms;
        topic->latest_offset = message->offset;
    }
}

/* By a consumer of its own, which reads nothing, waits behind no fetch, and knows no topic of old. */
int kcons_was_remade(const struct kcons *kcons, const struct broker *broker, bool *ret, struct err *err) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)kcons->topics_n);
    *ret = false;
    for (size_t i = 0; i < kcons->topics_n; i++)
        if (kcons->topics[i].latest_ms) /* nothing was read: whatever is there will be */
            rd_kafka_topic_partition_list_add(list, kcons->topics[i].name, 0)->offset =
                kcons->topics[i].latest_ms + 1; /* asked for: the first record that is later */
    const char *name = kcons->topics[0].name;
    struct kcons *asking = list->cnt ? kcons_open_consumer(broker, name, name, false, err) : NULL;
    rd_kafka_resp_err_t code =
        asking ? rd_kafka_offsets_for_times(asking->rk, list, 5000) : RD_KAFKA_RESP_ERR_NO_ERROR;
    int rc = list->cnt && !asking ? -1 : 0;
    for (int i = 0; asking && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *first = &list->elems[i];
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            code = first->err;
        for (size_t t = 0; t < kcons->topics_n && code == RD_KAFKA_RESP_ERR_NO_ERROR; t++)
            *ret |= str_eq(kcons->topics[t].name, first->topic) && first->offset >= 0 && /* below 0: none */
                    first->offset <= kcons->topics[t].latest_offset;
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        rc = err_set(err, ERR_RETRY, "kafka topic \"%s\": %s", name, rd_kafka_err2str(code));
    kcons_close(asking);
    rd_kafka_topic_partition_list_destroy(list);
    return rc;
}

bool kcons_has_reached(struct kcons *kcons) {
    rd_kafka_topic_partition_list_t *list = all(kcons, RD_KAFKA_OFFSET_INVALID);
    bool reached = rd_kafka_position(kcons->rk, list) == RD_KAFKA_RESP_ERR_NO_ERROR;
    for (size_t i = 0; i < kcons->topics_n && reached; i++)
        reached = kcons->topics[i].end == 0 || list->elems[i].offset >= kcons->topics[i].end;
    rd_kafka_topic_partition_list_destroy(list);
    return reached;
}
