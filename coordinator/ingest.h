/* Ingest: reports of nodes from Kafka into the engine. A record's offset is stored when everything in it is
 * rows (or counted, or kept in dead_letters). Presence is no event: it only moves nodes.seen_at, every 30 s.
 */
#ifndef FAIRLEAD_COORDINATOR_INGEST_H
#define FAIRLEAD_COORDINATOR_INGEST_H

#include "coordinator/engine.h"

struct ingest_conf {
    const char *database_url, *brokers;
    struct engine *engine;
    const struct sign_keys *keys;
    void (*wake_relay)(void *arg, unsigned lanes);
    void *arg;
};

struct ingest *ingest_start(const struct ingest_conf *conf, struct err *err);
void ingest_stop(struct ingest *ingest); /* NULL is fine */

#endif
