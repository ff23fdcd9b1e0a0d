/* For the files of the consumer: what it is, and how it sees that nothing comes though something should. */
#ifndef FAIRLEAD_IO_KCONS_OWN_H
#define FAIRLEAD_IO_KCONS_OWN_H

#include "io/kcons.h"

#include <librdkafka/rdkafka.h>

/* By assignment: what is known of one of the topics. */
struct kcons_topic {
    char *name;
    int64_t end;                      /* behind its last record, when it was opened */
    int64_t latest_ms, latest_offset; /* the record with the latest stamp that was read */
};

struct kcons {
    rd_kafka_t *rk;
    struct kcons_topic *topics; /* by assignment */
    size_t topics_n;
    bool incomplete; /* some could not be asked when it was opened, and are not read */
    char *shared;    /* by share: the one */
    char *group;     /* by group or share: its name; and what a member reads */
    rd_kafka_topic_partition_list_t *subscription;
    unsigned assignment;
    int64_t ask_at;  /* none of the group's partitions is held: when to ask who holds any; 0: it is well */
    int paused;      /* of the group's partitions that are held */
    int64_t look_at; /* when to look whether the broker holds something that does not come */
    bool suspect;    /* it did, at the last look, and nothing has come since */
};

struct kcons *kcons_open_consumer(const struct broker *broker, const char *client, const char *group,
                                  bool by_group, struct err *err);

/* ---- kcons_topics.c: by assignment ---- */

void kcons_note_stamp(struct kcons *kcons, const rd_kafka_message_t *message);
void kcons_forget_topics(struct kcons *kcons);

/* ---- kcons_watch.c: all of a group, on the thread that polls ---- */

/* Partitions were given, or (`any` false) none is held. */
void kcons_watch_assigned(struct kcons *kcons, bool any);
/* A record came, or an error. */
void kcons_is_heard(struct kcons *kcons);
/* The group has shared out nothing, to nobody: it must be joined anew. Asks the broker now and then. */
bool kcons_is_forgotten(struct kcons *kcons);
/* The broker holds what should have come, and it does not: a new consumer is needed. Asks after a quiet
 * while. */
bool kcons_is_stuck(struct kcons *kcons);

#endif
