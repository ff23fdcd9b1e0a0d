# Apache Kafka: one node, broker and controller in one (KRaft), loopback only. Debian has no package, so Maven fetches the jars.
# shellcheck shell=bash disable=SC2034,SC2154
kafka_version=4.1.0
kafka_port=${FAIRLEAD_KAFKA_PORT:-19092}
kafka_dir=$(place kafka)
kafka_jars=$cache/kafka-$kafka_version
kafka_log=$kafka_dir/kafka.log
kafka_pidfile=$kafka_dir/pid
kafka_programs='java:default-jre-headless mvn:maven openssl:openssl'
# shellcheck source=trust.sh
. "$here/services/trust.sh"

kafka_fetch() {
  [ ! -d "$kafka_jars" ] || return 0
  local tmp log
  mkdir -p "$cache"
  tmp=$(mktemp -d "$cache/kafka.XXXXXX")
  log=$kafka_dir/maven.log
  cat >"$tmp/pom.xml" <<EOF
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>fairlead</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$kafka_version</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
  <build><plugins><plugin>
    <groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId><version>3.6.1</version>
  </plugin></plugins></build>
</project>
EOF
  MAVEN_OPTS="${MAVEN_OPTS:-} $(trust_options "$tmp/trust")"
  export MAVEN_OPTS
  if ! mvn -q -B -ntp -f "$tmp/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$tmp/lib" >"$log" 2>&1; then
    rm -rf "$tmp"
    kafka_log=$log
    failed kafka "could not be fetched by Maven"
  fi
  mv "$tmp/lib" "$kafka_jars"
  rm -rf "$tmp"
}

kafka_java() { java -cp "$kafka_jars/*" -Dorg.slf4j.simpleLogger.defaultLogLevel=warn "$@"; }

kafka_up() {
  install -d -m 0700 "$kafka_dir"
  kafka_fetch
  cat >"$kafka_dir/server.properties" <<EOF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((kafka_port + 1))
listeners=CLIENT://127.0.0.1:$kafka_port,CONTROLLER://127.0.0.1:$((kafka_port + 1))
advertised.listeners=CLIENT://127.0.0.1:$kafka_port
listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLIENT
log.dirs=$kafka_dir/data
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=33554432
EOF
  if [ ! -s "$kafka_dir/data/meta.properties" ]; then
    # A cluster id is 16 bytes as base64; one that begins with a dash would be read as an option.
    local id
    id=$(head -c 16 /dev/urandom | base64 | tr '+/' 'xy' | cut -c1-22)
    kafka_java kafka.tools.StorageTool format -t "$id" -c "$kafka_dir/server.properties" >"$kafka_log" 2>&1 ||
      failed kafka "could not format its storage"
  fi
  spawn kafka java -cp "$kafka_jars/*" -Xms128m -Xmx512m -XX:+ExitOnOutOfMemoryError \
    -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.showDateTime=true \
    '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS' kafka.Kafka "$kafka_dir/server.properties"
}

# A Metadata request by hand (api 3, version 0, no client id, no topics... a Java client would cost a second of CPU):
# the answer is size, correlation id 7, number of brokers. One broker in it = it is registered and serves clients.
kafka_ready() {
  local fd answer
  [ -n "$(pid_of kafka)" ] || return 1
  { exec {fd}<>"/dev/tcp/127.0.0.1/$kafka_port"; } 2>/dev/null || return 1
  printf '\0\0\0\x0e\0\x03\0\0\0\0\0\x07\xff\xff\0\0\0\0' >&"$fd" || true
  answer=$(timeout 5 head -c 12 <&"$fd" 2>/dev/null | od -An -tx1 -j4 | tr -d ' \n') || true
  exec {fd}>&-
  [ "$answer" = 0000000700000001 ]
}

kafka_down() { stop kafka; }
kafka_address() { echo "127.0.0.1:$kafka_port"; }
kafka_env() { export_line FAIRLEAD_KAFKA "127.0.0.1:$kafka_port"; }
