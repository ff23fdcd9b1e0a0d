/* Ingest: reports of nodes from Kafka into the engine. A record's offset is stored when everything in it is
 * rows (or counted, or kept in dead_letters). Presence is no event: see presence.h.
 */
#ifndef FAIRLEAD_COORDINATOR_INGEST_H
#define FAIRLEAD_COORDINATOR_INGEST_H

#include "coordinator/engine.h"
#include "io/broker.h"

struct ingest_conf {
    const char *database_url, *redis;
    struct broker broker;
    struct engine *engine;
    struct signing *signing;
    void (*wake_relay)(void *arg, unsigned lanes);
    void (*wake_clock)(void *arg);
    void *arg;
};

struct ingest *ingest_start(const struct ingest_conf *conf, struct err *err);
void ingest_stop(struct ingest *ingest); /* NULL is fine */

#endif
