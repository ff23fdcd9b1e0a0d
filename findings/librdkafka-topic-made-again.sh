#!/usr/bin/env bash
# Kafka 4.1.0, librdkafka 2.3.0: a topic that a consumer reads is deleted and made again under its name.
# guess:     the consumer is told (an error, a reset to the start), as the new topic has another id.
# behaviour: it may hear that the topic is gone, and nothing when it is back. It goes on at the offset that it had reached: if
#            the new topic holds that many records by the time of the next fetch, the first ones are skipped without an error.
#            Compare the topic's id, or what was read, and read from the start.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/kafka.sh"
kafka_up 4.1.0 2.3.0
python <<'PY' >"$work/said"
def make_again(values):
    for until in [time.time() + 60]:
        while True:
            try:
                make("t")
                break
            except Exception:
                assert time.time() < until, "the topic was not made"
    fill("t", values)
consumer = Consumer({**server, "group.id": "g", "enable.auto.commit": False, "auto.offset.reset": "earliest",
                     "topic.metadata.refresh.interval.ms": 500})
consumer.assign([TopicPartition("t", 0, 0)])
def read(last):
    got = []
    until = time.time() + 60
    while not (got and got[-1] == last) and time.time() < until:
        message = consumer.poll(1)
        if message is not None and not message.error():
            got.append(message.value().decode())
    return got
make_again(["old1", "old2", "old3"])
print("before:", *read("old3"))
consumer.pause([TopicPartition("t", 0)])  # as in a consumer that has enough in hand: no fetch in between
admin.delete_topics(["t"])["t"].result(30)
make_again(["new1", "new2", "new3", "new4", "new5"])
consumer.resume([TopicPartition("t", 0)])
print("after:", *read("new5"))
PY
seen "before: old1 old2 old3" "$(sed -n 1p "$work/said")"
seen "after: new4 new5" "$(sed -n 2p "$work/said")"
