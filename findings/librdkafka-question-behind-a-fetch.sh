#!/usr/bin/env bash
# Kafka 4.1.0, librdkafka 2.3.0: a consumer that reads a quiet topic, with a long `fetch.wait.max.ms` to spare the broker, is
# asked for the offset of a time.
# guess:     the answer is a matter of a round trip: nothing is read, the broker is idle, and the library has threads of its own.
# behaviour: the question goes over the connection of the fetch, and the broker answers that in order: it comes when the fetch
#            has waited its time. A time limit below that passes without an answer, and what is worse, the connection is closed
#            for it and made anew, fetch and all, so that the next question fares the same. Whoever asks while reading waits
#            longer than a fetch does, or asks by a client that reads nothing.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/kafka.sh"
kafka_up 4.1.0 2.3.0
python <<'PY' >"$work/said"
make("quiet")
fill("quiet", "x")
def reader(wait_ms):
    consumer = Consumer({**server, "group.id": "g", "auto.offset.reset": "earliest", "fetch.wait.max.ms": wait_ms, "log_level": 0})
    consumer.assign([TopicPartition("quiet", 0, 0)])
    while not consumer.poll(1):
        pass
    time.sleep(1)  # the next fetch is under way
    return consumer
def ask(consumer, limit):
    began = time.monotonic()
    try:
        consumer.offsets_for_times([TopicPartition("quiet", 0, 1)], timeout=limit)
        return "at once" if time.monotonic() - began < 0.5 else "late"
    except KafkaException:
        return "never"
patient = reader(8000)
print("limit below the wait:", *[ask(patient, 2) for _ in range(3)])
print("limit above the wait:", ask(reader(8000), 12))
nobody = Consumer({**server, "group.id": "g", "fetch.wait.max.ms": 8000})
ask(nobody, 12)
print("by one that reads nothing:", ask(nobody, 2))
PY
seen "limit below the wait: never never never" "$(sed -n 1p "$work/said")"
seen "limit above the wait: late" "$(sed -n 2p "$work/said")"
seen "by one that reads nothing: at once" "$(sed -n 3p "$work/said")"
