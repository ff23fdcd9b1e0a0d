#include "coordinator/topics.h"

#include <stdio.h>
#include <string.h>

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
#define ORDER(step, role, topic, partitions, what) {topic, partitions, orders_settings, what},
#include "model/tables.def"
    {TOPIC_REPORTS, 16, orders_settings, "what nodes say, by node"},
    {TOPIC_EVENTS, 16, events_settings, "CloudEvents, by instance"},
    {TOPIC_AUDIT, 1, events_settings, "signed heads of the audit, each minute"},
};
const int topic_rows_n = sizeof topic_rows / sizeof *topic_rows;

int topic_partitions(const char *name) {
    for (int i = 0; i < topic_rows_n; i++)
        if (str_eq(topic_rows[i].name, name))
            return topic_rows[i].partitions;
    return 1;
}

static char *topic_of(const char *what, struct uuid id, char out[TOPIC_NAME_SIZE]) {
    char hex[UUID_HEX_SIZE];
    (void)snprintf(out, TOPIC_NAME_SIZE, "fairlead.%s.%s", what, uuid_hex(id, hex));
    return out;
}

char *topic_of_node(struct uuid node, struct uuid private_plane, char out[TOPIC_NAME_SIZE]) {
    return uuid_is_nil(private_plane) ? topic_of("node", node, out) : topic_of("plane", private_plane, out);
}

char *topic_of_document(struct uuid node, struct uuid private_tenant, char out[TOPIC_NAME_SIZE]) {
    return uuid_is_nil(private_tenant) ? topic_of("node", node, out)
                                       : topic_of("tenant", private_tenant, out);
}

void key_of_document(struct str *out, struct uuid node, struct uuid instance, const char *kind,
                     const char *letter) {
    str_add(out, node.b, sizeof node.b);
    str_add(out, instance.b, sizeof instance.b);
    str_adds(out, kind);
    if (!str_eq(letter, SET_FIRST))
        str_addf(out, ".%s", letter);
}

struct bytes key_of_word(struct uuid node, const char *word, struct arena *arena) {
    size_t n = sizeof node.b + strlen(word);
    uint8_t *key = arena_alloc(arena, n);
    memcpy(key, node.b, sizeof node.b);
    memcpy(key + sizeof node.b, word, n - sizeof node.b);
    return (struct bytes){key, n};
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
