/* Topics and lanes: which record goes where (protocol section 3). The table of topics is the only place that
 * names them; settings are given whole when a topic is made, because changing one later resets the others. */
#ifndef FAIRLEAD_COORDINATOR_TOPICS_H
#define FAIRLEAD_COORDINATOR_TOPICS_H

#include "base/mem.h"
#include "base/str.h"
#include "base/uuid.h"
#include "model/rows.h"
#include "model/tables.h"

#include <stddef.h>

struct topic_row {
    const char *name;
    int partitions;
    const char *const *settings; /* "name=value", NULL-ended */
    const char *what;
};
extern const struct topic_row topic_rows[];
extern const int topic_rows_n;
extern const char
    *const topic_node_settings[]; /* of fairlead.node.<node>, .plane.<plane>, .tenant.<tenant> */

#define TOPIC_REPORTS "fairlead.reports"
#define TOPIC_EVENTS "fairlead.events"
#define TOPIC_AUDIT "fairlead.audit"
#define TOPIC_NAME_SIZE 64

int topic_partitions(const char *name);
/* Where a node's lists and heartbeats go: its own topic, or the one of its private plane (nil: it is the
 * provider's). */
char *topic_of_node(struct uuid node, struct uuid private_plane, char out[TOPIC_NAME_SIZE]);
/* Where its documents go: the same, or in a private plane the topic of their tenant (nil: it is none). */
char *topic_of_document(struct uuid node, struct uuid private_tenant, char out[TOPIC_NAME_SIZE]);
/* The key of a document's record: node, instance, kind, and the letter of any set but the first. */
void key_of_document(struct str *out, struct uuid node, struct uuid instance, const char *kind,
                     const char *letter);

/* The key of what is said to a node besides its documents: "heartbeat", "keys". In the arena. */
struct bytes key_of_word(struct uuid node, const char *word, struct arena *arena);

/* Lanes: 0 is for events, then orders by partition, then documents by topic. */
#define LANES 9
#define LANE_EVENTS 0
int lane_of_partition(int partition);
int lane_of_topic(const char *topic);
/* A stable hash of a key, for partitions. */
unsigned topic_hash(const char *key);

#endif
