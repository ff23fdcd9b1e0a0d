/* For the clients of Kafka: their connections, by the tunnel. */
#ifndef FAIRLEAD_IO_TUNNEL_OWN_H
#define FAIRLEAD_IO_TUNNEL_OWN_H

#include "io/tunnel.h"

#include <librdkafka/rdkafka.h>

/* Nothing where there is none. */
void tunnel_set(rd_kafka_conf_t *conf);

#endif
