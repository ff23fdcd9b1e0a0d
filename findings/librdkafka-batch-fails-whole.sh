#!/usr/bin/env bash
# Kafka 4.1.0, librdkafka 2.3.0: one record without a key among others, to a compacted topic.
# guess:     the broker refuses that record, the delivery reports of its neighbours say that they were stored.
# behaviour: every record that travelled in the same batch is reported with INVALID_RECORD, and none is stored. Who gives up
#            what was refused for good loses its neighbours: send again one at a time, then give up the one that fails alone.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/kafka.sh"
kafka_up 4.1.0 2.3.0
seen "together: _NOERROR 0, INVALID_RECORD 6; alone: _NOERROR 5, INVALID_RECORD 1" "$(python <<'PY'
import os
from collections import Counter
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import AdminClient, NewTopic
server = {"bootstrap.servers": os.environ["KAFKA"]}
admin = AdminClient(server)
admin.create_topics([NewTopic("t", 1, 1, config={"cleanup.policy": "compact"})])["t"].result(30)
def send(linger, flush_each):
    heard = Counter()
    producer = Producer({**server, "linger.ms": linger})
    for n in range(6):
        producer.produce("t", value=b"x", key=None if n == 3 else b"k%d" % n,
                         on_delivery=lambda e, m: heard.update([e.name() if e else "_NOERROR"]))
        if flush_each:
            producer.flush(30)
    producer.flush(30)
    return "_NOERROR %d, INVALID_RECORD %d" % (heard["_NOERROR"], heard["INVALID_RECORD"])
print("together: %s; alone: %s" % (send(500, False), send(0, True)))
PY
)"
