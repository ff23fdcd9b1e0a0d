/* What a member of a group is not told: that it was forgotten, or that its partitions are read no more. */
#include "base/clock.h"
#include "base/rnd.h"
#include "io/kcons_own.h"

#include <string.h>

#define EMPTY_US (10 * CLOCK_S)
#define QUIET_US (20 * CLOCK_S)  /* after which it is looked whether it should be */
#define SUSPECT_US (5 * CLOCK_S) /* what the broker holds must have come in that time */

/* Jittered: all members of a group that was forgotten would ask at once. */
static int64_t when_to_ask(void) {
    return clock_mono_us() + EMPTY_US + (int64_t)(rnd_u64() % (EMPTY_US / 2));
}

void kcons_is_heard(struct kcons *kcons) {
    kcons->look_at = clock_mono_us() + QUIET_US + (int64_t)(rnd_u64() % (QUIET_US / 2));
    kcons->suspect = false;
}

void kcons_watch_assigned(struct kcons *kcons, bool any) {
    kcons->ask_at = any ? 0 : when_to_ask();
    kcons->paused = 0;
    kcons_is_heard(kcons);
}

/* An assignment as members exchange it: a version of two bytes, then how many topics it names. */
static bool holds_any(const struct rd_kafka_group_member_info *member) {
    const uint8_t *p = member->member_assignment;
    return p && member->member_assignment_size >= 6 && (p[2] || p[3] || p[4] || p[5]);
}

static bool no_member_holds_any(const struct rd_kafka_group_info *group) {
    for (int i = 0; i < group->member_cnt; i++)
        if (holds_any(&group->members[i]))
            return false;
    return true;
}

/* A group may share out nothing for ever: when its leader chose while the topic was gone, and the topic was
 * made again before the metadata were read, librdkafka 2.0.2 sees no change that would make it choose again.
 * A member that holds nothing because there are more members than partitions is well, until the next
 * rebalance; the broker knows which it is. (By rd_kafka_list_groups(): rd_kafka_DescribeConsumerGroups() of
 * 2.0.2 aborts the program when the broker is away.) */
bool kcons_is_forgotten(struct kcons *kcons) {
    if (!kcons->group || !kcons->ask_at || clock_mono_us() < kcons->ask_at)
        return false;
    const struct rd_kafka_group_list *list = NULL;
    rd_kafka_resp_err_t code = rd_kafka_list_groups(kcons->rk, kcons->group, &list, 5000);
    const struct rd_kafka_group_info *group =
        code == RD_KAFKA_RESP_ERR_NO_ERROR && list->group_cnt == 1 ? &list->groups[0] : NULL;
    bool settled = group && group->err == RD_KAFKA_RESP_ERR_NO_ERROR && strcmp(group->state, "Stable") == 0;
    bool forgotten = settled && no_member_holds_any(group);
    kcons->ask_at = settled && !forgotten ? 0 : when_to_ask();
    if (list)
        rd_kafka_group_list_destroy(list);
    return forgotten;
}

/* The first or the last offset of each, RD_KAFKA_OFFSET_BEGINNING or _END, in one request: on this connection
 * it may be answered only after the fetch under way, and one for each partition would add up to a minute. */
static bool ask_offsets(struct kcons *kcons, rd_kafka_topic_partition_list_t *list, int64_t which) {
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = which; /* as ListOffsets names them (Kafka protocol): a time of -2 or -1 */
    if (rd_kafka_offsets_for_times(kcons->rk, list, 5000) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR || list->elems[i].offset < 0)
            return false;
    return true;
}

/* Where it reads on: behind the last record, or what the group has done; -1: at the start. */
static int64_t reads_on_at(const rd_kafka_topic_partition_t *position,
                           const rd_kafka_topic_partition_t *done) {
    return position->offset >= 0 ? position->offset : done->offset >= 0 ? done->offset : -1;
}

/* Does the broker hold something that should have come? Also an end that lies before where it reads on. */
static bool something_waits(struct kcons *kcons) {
    rd_kafka_topic_partition_list_t *held = NULL;
    if (rd_kafka_assignment(kcons->rk, &held) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    rd_kafka_topic_partition_list_t *done = rd_kafka_topic_partition_list_copy(held),
                                    *first = rd_kafka_topic_partition_list_copy(held),
                                    *last = rd_kafka_topic_partition_list_copy(held);
    bool waits = false, known = held->cnt &&
                                rd_kafka_position(kcons->rk, held) == RD_KAFKA_RESP_ERR_NO_ERROR &&
                                rd_kafka_committed(kcons->rk, done, 3000) == RD_KAFKA_RESP_ERR_NO_ERROR &&
                                ask_offsets(kcons, first, RD_KAFKA_OFFSET_BEGINNING) &&
                                ask_offsets(kcons, last, RD_KAFKA_OFFSET_END);
    for (int i = 0; i < held->cnt && known && !waits; i++) {
        int64_t at = reads_on_at(&held->elems[i], &done->elems[i]), low = first->elems[i].offset;
        waits = last->elems[i].offset != (at > low ? at : low);
    }
    rd_kafka_topic_partition_list_destroy(held);
    rd_kafka_topic_partition_list_destroy(done);
    rd_kafka_topic_partition_list_destroy(first);
    rd_kafka_topic_partition_list_destroy(last);
    return waits;
}

/* A topic that was made again, by a broker that lost its disk, may be read no more, and no error says so
 * (librdkafka 2.8: what it knows of the partition's leader is of a later epoch than the new topic's). Who
 * hears nothing for a while looks whether that is right; what is paused is meant to wait. */
bool kcons_is_stuck(struct kcons *kcons) {
    if (!kcons->group || kcons->ask_at || kcons->paused || clock_mono_us() < kcons->look_at)
        return false;
    bool before = kcons->suspect, waits = something_waits(kcons);
    kcons_is_heard(kcons);
    kcons->suspect = waits;
    if (waits && !before)
        kcons->look_at = clock_mono_us() + SUSPECT_US; /* it may have come to the broker just now */
    return waits && before;
}
