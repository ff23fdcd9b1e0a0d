#include "coordinator/topics.h"

#include "base/str.h"

#include <stdio.h>

/* LogAppendTime: a node with a wrong clock could not report otherwise. */
#define COMMON "message.timestamp.type=LogAppendTime", "max.message.bytes=1048576"
static const char *const orders_settings[] = {COMMON, "cleanup.policy=delete", "retention.ms=604800000",
                                              NULL};
static const char *const events_settings[] = {COMMON, "cleanup.policy=delete", "retention.ms=2592000000",
                                              NULL};
const char *const topic_node_settings[] = {
    COMMON,
    "cleanup.policy=compact",
    "segment.ms=21600000",
    "max.compaction.lag.ms=21600000",
    "delete.retention.ms=5184000000", /* 60 days: longer than a node may be away */
    NULL,
};

const struct topic_row topic_rows[] = {
    {"fairlead.orders.resolve", 8, orders_settings, "which commit and build key is a source now"},
    {"fairlead.orders.build", 64, orders_settings, "build one key; one job of a partition at a time"},
    {"fairlead.orders.dns", 8, orders_settings, "one name, by host name: two changes of it must not race"},
    {"fairlead.orders.probe", 16, orders_settings, "fetch and judge one name"},
    {"fairlead.orders.noop", 16, orders_settings, "nothing, by a real worker"},
    {TOPIC_REPORTS, 16, orders_settings, "what nodes say, by node"},
    {TOPIC_EVENTS, 16, events_settings, "CloudEvents, by instance"},
};
const int topic_rows_n = sizeof topic_rows / sizeof *topic_rows;

const char *topic_of_step(enum step_kind kind) {
    switch (kind) {
    case STEP_RESOLVE:
        return "fairlead.orders.resolve";
    case STEP_BUILD:
        return "fairlead.orders.build";
    case STEP_NAME:
        return "fairlead.orders.dns";
    case STEP_VERIFY:
        return "fairlead.orders.probe";
    case STEP_NOOP:
        return "fairlead.orders.noop";
    case STEP_PLACE:
    case STEP_STACK:
    case STEP_WAIT:
    case STEP_ROUTE:
    case STEP_WATCH:
    case STEP_COUNT:
        break;
    }
    return NULL;
}

int topic_partitions(const char *name) {
    for (int i = 0; i < topic_rows_n; i++)
        if (str_eq(topic_rows[i].name, name))
            return topic_rows[i].partitions;
    return 1;
}

char *topic_of_node(struct uuid node, char out[TOPIC_NAME_SIZE]) {
    char hex[UUID_HEX_SIZE];
    (void)snprintf(out, TOPIC_NAME_SIZE, "fairlead.node.%s", uuid_hex(node, hex));
    return out;
}

unsigned topic_hash(const char *key) {
    unsigned h = 2166136261u; /* FNV-1a */
    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 16777619u;
    return h;
}

int lane_of_partition(int partition) {
    return 1 + partition % 4;
}

int lane_of_topic(const char *topic) {
    return 5 + (int)(topic_hash(topic) % 4);
}
