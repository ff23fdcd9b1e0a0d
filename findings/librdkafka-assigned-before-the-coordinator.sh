#!/usr/bin/env bash
# Kafka 4.1.0, librdkafka 2.3.0: a consumer without a group's members assigns itself partitions, to be read from the offsets that
# its group has committed (OFFSET_STORED), at a broker that was started just now: its group coordinator is not there yet.
# (With the 50 partitions of __consumer_offsets that are usual, it is a matter of luck; here they are 500, which take a moment.)
# guess:     the library asks for the committed offsets until it has them, as it does for leaders and for members of a group;
#            the broker is ready a second later, and reading begins.
# behaviour: it asks once. One error comes ("not coordinator", for one of the partitions), and then nothing for as long as one
#            waits, though the coordinator is there: none of the partitions is read. Whoever asks for the offsets first
#            (committed(), which does ask again within its time) and assigns what it heard reads all of them.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/kafka.sh"
KAFKA_MORE=offsets.topic.num.partitions=500 kafka_up 4.1.0 2.3.0
python <<'PY' >"$work/said"
make("t", 4)
fill("t", "xxxx", 4)
def parts(offset):
    return [TopicPartition("t", partition, offset) for partition in range(4)]
def read(consumer):
    errors, read, end = set(), 0, time.monotonic() + 20
    while time.monotonic() < end and read < 4:
        message = consumer.poll(1)
        if message and message.error():
            errors.add(message.error().name())
        elif message:
            read += 1
    return read, " ".join(sorted(errors)) or "none"
def consumer():
    return Consumer({**server, "group.id": "g", "auto.offset.reset": "earliest", "log_level": 0})
hasty = consumer()
hasty.assign(parts(OFFSET_STORED))
print("assigned at once: %d of 4 read, errors: %s" % read(hasty))
patient = consumer()
heard = patient.committed(parts(OFFSET_STORED), timeout=20)
patient.assign([TopicPartition(p.topic, p.partition, p.offset if p.offset >= 0 else OFFSET_BEGINNING) for p in heard])
print("asked first: %d of 4 read, errors: %s" % read(patient))
PY
seen "assigned at once: 0 of 4 read, errors: NOT_COORDINATOR" "$(sed -n 1p "$work/said")"
seen "asked first: 4 of 4 read, errors: none" "$(sed -n 2p "$work/said")"
