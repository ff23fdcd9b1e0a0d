/* What consumers and producers set alike; for kcons.c and kprod.c alone. */
#ifndef FAIRLEAD_IO_KAFKA_CONF_H
#define FAIRLEAD_IO_KAFKA_CONF_H

#include <librdkafka/rdkafka.h>

/* A broker that asks for a client's metrics gets none (KIP-714; librdkafka 2.5 and later): nobody of ours
 * reads them, and librdkafka 2.8.0 ended the program while it packed them, once the broker that had asked was
 * gone. Older ones do not know the setting, and need none. */
static inline void kafka_conf_quiet(rd_kafka_conf_t *conf) {
    char text[64];
    (void)rd_kafka_conf_set(conf, "enable.metrics.push", "false", text, sizeof text);
}

#endif
