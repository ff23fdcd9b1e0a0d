#!/usr/bin/env bash
# For the findings about Kafka (sourced by each): one broker, from its jars at Maven, and a Python with librdkafka, both in the folder of this run.
# Wants java, mvn and python3 with venv on the machine.
set -euo pipefail
# shellcheck disable=SC2154
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
kafka=127.0.0.1:18092
kafka_up() { # KAFKA-VERSION CONFLUENT-KAFKA-VERSION   (KAFKA_MORE: a line more of the broker's properties)
  cat >"$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>findings</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$1</version></dependency></dependencies>
</project>
POM
  mvn -q -B -ntp -f "$work/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies -DoutputDirectory="$work/jars" >"$work/mvn.log" 2>&1 ||
    { tail -n 5 "$work/mvn.log"; exit 1; }
  python3 -m venv "$work/venv" && "$work/venv/bin/pip" install -q "confluent-kafka==$2"
  cat >"$work/server.properties" <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:18093
listeners=CLIENT://$kafka,CONTROLLER://127.0.0.1:18093
advertised.listeners=CLIENT://$kafka
listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLIENT
log.dirs=$work/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
${KAFKA_MORE:-}
CONF
  java -cp "$work/jars/*" kafka.tools.StorageTool format -t "$(head -c 16 /dev/urandom | base64 | tr '+/' 'ab' | cut -c1-22)" \
    -c "$work/server.properties" >"$work/format.log" 2>&1 || { tail -n 3 "$work/format.log"; exit 1; }
  java -Xmx512m -cp "$work/jars/*" kafka.Kafka "$work/server.properties" >"$work/kafka.log" 2>&1 &
  started+=($!)
  within 60 bash -c "exec 3<>/dev/tcp/${kafka/:/\/}"
}
# What each of them begins with: make() a topic, fill() it with values, in turn over its partitions.
python() {
  { cat <<'HEAD'; cat; } | KAFKA=$kafka "$work/venv/bin/python" -
import os, time
from confluent_kafka import OFFSET_BEGINNING, OFFSET_STORED, Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
server = {"bootstrap.servers": os.environ["KAFKA"]}
admin = AdminClient(server)
def make(name, partitions=1):
    admin.create_topics([NewTopic(name, partitions, 1)])[name].result(30)
def fill(name, values, partitions=1):
    producer = Producer(server)
    for n, value in enumerate(values):
        producer.produce(name, value=value, partition=n % partitions)
    assert producer.flush(30) == 0
HEAD
}
