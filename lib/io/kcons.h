/* A Kafka consumer by librdkafka, in one of three manners. By group: partitions are shared with other members
 * and offsets are stored only by kcons_done(). By share: the caller says which partitions of a topic are its
 * own, and the group keeps the offsets only; nobody waits for the broker to notice that a reader has died. By
 * assignment: topics from their beginning, no committed offset to trust. Long fetch waits: they cost no
 * latency and spare the broker. One thread polls and does nothing else. */
#ifndef FAIRLEAD_IO_KCONS_H
#define FAIRLEAD_IO_KCONS_H

#include "base/err.h"
#include "io/broker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kcons_record {
    const char *topic;
    int32_t partition;
    int64_t offset;
    unsigned assignment;     /* it was read in: kcons_assignment() then */
    const void *key, *value; /* value NULL: compaction's tombstone */
    size_t key_n, value_n;
    void *handle;
};

struct kcons *kcons_open_group(const struct broker *broker, const char *client, const char *group,
                               const char *const *topics, struct err *err);
/* Reads nothing until kcons_take(). */
struct kcons *kcons_open_share(const struct broker *broker, const char *client, const char *group,
                               const char *topic, struct err *err);
/* Partition 0 of each; NULL-ended. One but the first that cannot be asked how far it goes (it is gone, or not
 * ours to read any more) is left out: kcons_is_incomplete(). Class retry: the first cannot. */
struct kcons *kcons_open_topics(const struct broker *broker, const char *client, const char *const *topics,
                                struct err *err);
void kcons_close(struct kcons *kcons); /* hands the partitions back; NULL is fine */

/* By share only: from now on partition i is read where bit i is set, from behind what was done of it; what
 * was done so far of the others is committed first. A new assignment. Class retry: the broker has not said
 * within 3 s how far the group is, and all stays as it was. */
MUST_CHECK int kcons_take(struct kcons *kcons, uint32_t partitions, struct err *err);

/* 1: *ret is a record, to be given back by kcons_release(). 0: nothing within the time. -1: an error, class
 * retry; the consumer goes on by itself unless it says dead. */
MUST_CHECK int kcons_poll(struct kcons *kcons, int timeout_ms, struct kcons_record *ret, struct err *err);
void kcons_release(struct kcons_record *record);

/* This record and those before it on its partition need not come again to this group. Of an assignment that
 * is over it says nothing: the partition is another's now, or its log another log. */
void kcons_done(struct kcons *kcons, const char *topic, int32_t partition, int64_t offset,
                unsigned assignment);

/* No more records of that partition until resumed; what was fetched comes again after it. A new assignment
 * begins with nothing paused. */
void kcons_pause(struct kcons *kcons, const char *topic, int32_t partition);
void kcons_resume(struct kcons *kcons, const char *topic, int32_t partition);
/* The number of the assignment: another whenever partitions are given or taken, never one that any consumer
 * of this process had before. When it has changed, what is in hand comes again, here or elsewhere. */
unsigned kcons_assignment(const struct kcons *kcons);
/* True while that partition is ours: a rebalance may have taken it. */
bool kcons_holds(struct kcons *kcons, const char *topic, int32_t partition);

/* How many records a group has not yet done of a topic: asked of the broker, without joining the group. */
MUST_CHECK int kcons_group_lag(const struct broker *broker, const char *group, const char *topic,
                               int partitions, int64_t *ret, struct err *err);
/* By assignment only: is one of them another topic under the name of the one that was read? Whoever was not
 * asking just then hears nothing of it, and would go on at the old offset
 * (findings/librdkafka-topic-made-again.sh). Told by the broker's stamps, which rise: it has a later record
 * where an earlier one was read. Takes a connection of its own for a moment. */
MUST_CHECK int kcons_was_remade(const struct kcons *kcons, const struct broker *broker, bool *ret,
                                struct err *err);
/* By assignment only: something was left out, and should be tried again. */
bool kcons_is_incomplete(const struct kcons *kcons);
/* By assignment only: true when all was read that was there when it was opened. */
bool kcons_has_reached(struct kcons *kcons);

#endif
