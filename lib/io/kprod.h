/* A Kafka producer by librdkafka: idempotent, acks=all, short timeouts. Enqueueing is not delivery: act on
 * the delivery reports, which kprod_poll() hands to the callback on the caller's own thread. A fatal error
 * means a new producer: kprod_fatal() says so. One that has gone through an outage is best replaced when that
 * is over: what it knows of topics may be of ones that were made again meanwhile, and librdkafka 2.8.0
 * (Debian 13) may end the program over that, at a later answer of the broker. */
#ifndef FAIRLEAD_IO_KPROD_H
#define FAIRLEAD_IO_KPROD_H

#include "base/err.h"
#include "io/broker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An unknown topic is one that is not there, or not (yet) ours to write. */
enum kprod_result { KPROD_DELIVERED, KPROD_TRANSIENT, KPROD_UNKNOWN_TOPIC, KPROD_PERMANENT };

/* `tag` is what was given with the record. Called inside kprod_poll() and kprod_purge(). */
typedef void kprod_report(void *arg, uint64_t tag, enum kprod_result result, const char *reason);

struct kprod *kprod_open(const struct broker *broker, const char *client, kprod_report *report, void *arg,
                         struct err *err);
void kprod_close(struct kprod *kprod); /* waits 2 s for what is queued; NULL is fine */

struct kprod_header {
    const char *name, *value;
};

/* What a failed kprod_send() was about. */
enum kprod_result kprod_send_result(const struct kprod *kprod);

/* Queues a copy. value NULL is a tombstone; partition -1 lets the key choose. `headers` end with {0} or are
 * NULL. Errors: retry (queue full: poll first), park (the record can never be sent: too large). */
MUST_CHECK int kprod_send(struct kprod *kprod, const char *topic, int partition, const void *key,
                          size_t key_n, const void *value, size_t value_n, const struct kprod_header *headers,
                          uint64_t tag, struct err *err);
/* Serves delivery reports; returns how many. */
int kprod_poll(struct kprod *kprod, int timeout_ms);
/* Waits until nothing is queued or in flight, at most so long; true when all was reported. */
bool kprod_flush(struct kprod *kprod, int timeout_ms);
/* Drops what is queued and in flight; each is reported as transient before this returns. */
void kprod_purge(struct kprod *kprod);
bool kprod_fatal(const struct kprod *kprod);
/* True once after the broker was away: it may have lost what it had acknowledged. Seen by kprod_poll(). */
bool kprod_was_away(struct kprod *kprod);

#endif
