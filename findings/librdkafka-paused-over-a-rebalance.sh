#!/usr/bin/env bash
# Kafka 4.1.0, librdkafka 2.3.0: a member of a group has paused its partitions; another member comes, and goes again.
# guess:     a new assignment begins unpaused, as in the Java client ("rebalance will not preserve the pause/resume state").
# behaviour: what was paused before the partition was taken away is paused when it comes back, though nobody in the program
#            knows: it reads nothing, for ever, without an error. Resume what is assigned, in the callback of the assignment.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/kafka.sh"
kafka_up 4.1.0 2.3.0
python <<'PY' >"$work/said"
make("t", 2)
fill("t", map(str, range(20)), 2)
def member(name):
    return Consumer({**server, "group.id": "g", "client.id": name, "auto.offset.reset": "earliest",
                     "session.timeout.ms": 6000, "heartbeat.interval.ms": 500})
def until(done, *members):
    end = time.time() + 60
    while not done():
        assert time.time() < end, "the group did not come to rest"
        for one in members:
            one.poll(0.2)
first, second, firsts, seconds = member("first"), member("second"), [], []
first.subscribe(["t"], on_assign=lambda _, parts: firsts.append(sorted(p.partition for p in parts)))
until(lambda: firsts, first)
both = [TopicPartition("t", 0), TopicPartition("t", 1)]
first.pause(both)
second.subscribe(["t"], on_assign=lambda _, parts: seconds.append(parts))
until(lambda: seconds, first, second)
second.close()
until(lambda: len(firsts) > 1 and firsts[-1] == [0, 1], first)
def records(seconds):
    end, n = time.time() + seconds, 0
    while time.time() < end:
        message = first.poll(0.5)
        n += message is not None and not message.error()
    return n
print("assigned anew:", "nothing" if records(10) == 0 else "records")
first.resume(both)
print("resumed:", "nothing" if records(10) == 0 else "records")
PY
seen "assigned anew: nothing" "$(sed -n 1p "$work/said")"
seen "resumed: records" "$(sed -n 2p "$work/said")"
