/* The relay: from the outbox to Kafka (protocol section 5). It owns lanes by rows of `lanes` (a session that
 * ends, or that the server ends because we stand still, owns nothing), reads their rows
 * in order, produces, and deletes what the broker has acknowledged. Two threads, each with a connection and
 * a producer: events may linger 50 ms, orders and documents never. */
#ifndef FAIRLEAD_COORDINATOR_RELAY_H
#define FAIRLEAD_COORDINATOR_RELAY_H

#include "base/err.h"
#include "io/broker.h"

#include <stdatomic.h>

struct relay_conf {
    const char *database_url;
    struct broker broker;
    atomic_uint *owned; /* bits of the lanes that this process has; written by the relay */
    /* A topic, or the right to write it, is not there: who makes them should look. */
    void (*miss_topics)(void *arg);
    void *arg;
};

struct relay *relay_start(const struct relay_conf *conf, struct err *err);
void relay_stop(struct relay *relay); /* NULL is fine */
/* Rows were committed to these lanes. Any thread. */
void relay_wake(struct relay *relay, unsigned lanes);

#endif
