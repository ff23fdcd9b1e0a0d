/* For the clients of Kafka: what they have in common. */
#ifndef FAIRLEAD_IO_BROKER_OWN_H
#define FAIRLEAD_IO_BROKER_OWN_H

#include "base/err.h"
#include "io/broker.h"

#include <librdkafka/rdkafka.h>

/* Settings of a client: how the broker is reached, then `settings` (name, value; up to one without a name).
 * rd_kafka_new() takes it. Class bug: a setting that the library does not know; park: a file that is not
 * there.
 */
rd_kafka_conf_t *broker_conf(const struct broker *broker, const char *client, const char *const settings[][2],
                             struct err *err);

#endif
