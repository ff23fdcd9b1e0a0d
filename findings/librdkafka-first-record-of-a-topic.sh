#!/usr/bin/env bash
# Kafka 4.1.0, librdkafka 2.3.0: a producer that is connected and busy sends its first record to a topic that exists.
# guess:     it asks for the topic's metadata at once and sends, a few milliseconds later: `linger.ms` is 0, the broker is near.
# behaviour: it takes about a second, each time that a topic is named first: the answer is there at once, but the queue of a
#            topic that was unknown is looked at again by a timer of a second. Whoever counts milliseconds names its topics
#            before (a handle of the topic, or metadata asked for) and does not make a producer for each of them.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/kafka.sh"
kafka_up 4.1.0 2.3.0
python <<'PY' >"$work/said"
names = ["warm", "one", "two", "three"]
for name in names:
    make(name)
time.sleep(2)  # nobody can say that the topics were just being made
producer = Producer({**server, "linger.ms": 0})
def took(topic):
    began = time.monotonic()
    producer.produce(topic, value="x", partition=0)
    assert producer.flush(30) == 0
    return time.monotonic() - began
for _ in range(20):
    took("warm")
for name in names[1:]:
    first, second = took(name), min(took(name) for _ in range(5))
    print("first", "slow" if first > 0.4 else "fast", "next", "slow" if second > 0.1 else "fast")
PY
for line in 1 2 3; do seen "first slow next fast" "$(sed -n ${line}p "$work/said")"; done
