# Apache Kafka: one node, broker and controller in one (KRaft); or three of them, FAIRLEAD_KAFKA_BROKERS=3, each with ten ports
# further. Debian has no package, so Maven fetches the jars.
# Whoever speaks to it shows a certificate of our authority, and may do what the coordinator gave it a right to. Programs and
# nodes have a listener each: on that of nodes nobody is anything but a node.
# shellcheck shell=bash disable=SC2034,SC2154
kafka_version=4.1.0
kafka_port=${FAIRLEAD_KAFKA_PORT:-19092}
kafka_one_port=$((kafka_port + 4)) # behind the one port of nodes elsewhere (gate.sh)
# Where nodes reach us: this machine, unless somebody wanted an address for others besides (it is remembered).
nodes_ip=${FAIRLEAD_NODES_ADDRESS:-$(first_line "$run/nodes.address")}
nodes_ip=${nodes_ip:-127.0.0.1}
kafka_clear=${FAIRLEAD_KAFKA_CLEAR:-} # not empty: without TLS, on loopback only
kafka_brokers=${FAIRLEAD_KAFKA_BROKERS:-$(first_line "$run/kafka.brokers")}
kafka_brokers=${kafka_brokers:-1}
kafka_dir=$(place kafka)
kafka_jars=$cache/kafka-$kafka_version
kafka_log=$kafka_dir/kafka.log
kafka_pidfile=$kafka_dir/pid
# Those besides the first: services of their own to `stack pid`.
kafka2_dir=$kafka_dir/2 kafka2_log=$kafka_dir/2/kafka.log kafka2_pidfile=$kafka_dir/2/pid
kafka3_dir=$kafka_dir/3 kafka3_log=$kafka_dir/3/kafka.log kafka3_pidfile=$kafka_dir/3/pid
kafka_programs='java:default-jre-headless mvn:maven openssl:openssl kcat:kcat'
kafka_tools=$kafka_dir/tools.conf # for kcat: who may do everything
# shellcheck source=authority.sh
. "$here/services/authority.sh"
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

kafka_voters() {
  local n out=''
  for ((n = 1; n <= kafka_brokers; n++)); do out+=,$n@127.0.0.1:$((kafka_port + 10 * (n - 1) + 1)); done
  printf %s "${out#,}"
}
kafka_service() { [ "$1" = 1 ] && echo kafka || echo "kafka$1"; }
kafka_place() { [ "$1" = 1 ] && echo "$kafka_dir" || echo "$kafka_dir/$1"; }

# Everybody shows a certificate. A node is one on the listeners of nodes, and nobody elsewhere.
kafka_conf_tls() { # NUMBER
  local far='' far_map='' advertised='' first=$((kafka_port + 10 * ($1 - 1)))
  authority_up 127.0.0.1 localhost "$nodes_ip"
  if [ "$nodes_ip" != 127.0.0.1 ]; then
    far=,FAR://$nodes_ip:$((first + 3)),ONE://127.0.0.1:$((first + 4)) far_map=,FAR:SSL,ONE:SSL
    advertised=,FAR://$nodes_ip:$((first + 3)),ONE://$nodes_ip:$one_port # one port is one broker: of three, this leads to the first
  fi
  cat <<EOF
listeners=PROGRAMS://127.0.0.1:$first,NODES://127.0.0.1:$((first + 2))$far,CONTROLLER://127.0.0.1:$((first + 1))
advertised.listeners=PROGRAMS://127.0.0.1:$first,NODES://127.0.0.1:$((first + 2))$advertised
listener.security.protocol.map=PROGRAMS:SSL,NODES:SSL$far_map,CONTROLLER:SSL
ssl.keystore.type=PEM
ssl.keystore.location=$authority_dir/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location=$authority_dir/root.pem
ssl.client.auth=required
ssl.principal.mapping.rules=RULE:^CN=([a-z][a-z0-9-]*),O=programs\$/\$1/
listener.name.nodes.ssl.principal.mapping.rules=RULE:^CN=(node\\\\.[0-9a-f]{32}\\\\.[0-9]+),O=nodes\$/\$1/
listener.name.far.ssl.principal.mapping.rules=RULE:^CN=(node\\\\.[0-9a-f]{32}\\\\.[0-9]+),O=nodes\$/\$1/
listener.name.one.ssl.principal.mapping.rules=RULE:^CN=(node\\\\.[0-9a-f]{32}\\\\.[0-9]+),O=nodes\$/\$1/
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:broker;User:topics;User:tools
EOF
}
kafka_tools_tls() {
  cat <<EOF
security.protocol=ssl
ssl.ca.location=$authority_dir/root.pem
ssl.certificate.location=$authority_dir/tools.pem
ssl.key.location=$authority_dir/tools.pem
EOF
}

# As it was before there was an authority: for programs of a version that knows none.
kafka_conf_clear() {
  cat <<EOF
listeners=PROGRAMS://127.0.0.1:$kafka_port,CONTROLLER://127.0.0.1:$((kafka_port + 1))
advertised.listeners=PROGRAMS://127.0.0.1:$kafka_port
listener.security.protocol.map=PROGRAMS:PLAINTEXT,CONTROLLER:PLAINTEXT
EOF
}

kafka_conf() { # NUMBER
  local copies=$kafka_brokers
  if [ -n "$kafka_clear" ]; then kafka_conf_clear; else kafka_conf_tls "$1"; fi
  cat <<EOF
process.roles=broker,controller
node.id=$1
controller.quorum.voters=$(kafka_voters)
controller.listener.names=CONTROLLER
inter.broker.listener.name=PROGRAMS
log.dirs=$(kafka_place "$1")/data
auto.create.topics.enable=false
default.replication.factor=$copies
min.insync.replicas=$((copies > 1 ? 2 : 1))
offsets.topic.replication.factor=$copies
transaction.state.log.replication.factor=$copies
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=$copies
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=33554432
EOF
}

# What of it runs is left alone.
kafka_up() {
  local n id dir service
  install -d -m 0700 "$kafka_dir"
  echo "$kafka_brokers" >"$run/kafka.brokers"
  kafka_fetch
  # A cluster id is 16 bytes as base64; one that begins with a dash would be read as an option. Brokers of a cluster have the same.
  id=$(sed -n 's/^cluster\.id=//p' "$kafka_dir/data/meta.properties" 2>/dev/null || true)
  [ -n "$id" ] || id=$(head -c 16 /dev/urandom | base64 | tr '+/' 'xy' | cut -c1-22)
  for ((n = 1; n <= kafka_brokers; n++)); do
    dir=$(kafka_place "$n") service=$(kafka_service "$n")
    install -d -m 0700 "$dir"
    kafka_conf "$n" >"$dir/server.properties"
    if [ -n "$kafka_clear" ]; then echo security.protocol=plaintext; else kafka_tools_tls; fi >"$kafka_tools"
    if [ ! -s "$dir/data/meta.properties" ]; then
      kafka_java kafka.tools.StorageTool format -t "$id" -c "$dir/server.properties" >"$dir/kafka.log" 2>&1 ||
        failed kafka "could not format its storage"
    fi
    [ -n "$(pid_of "$service")" ] || spawn "$service" java -cp "$kafka_jars/*" -Xms128m -Xmx512m -XX:+ExitOnOutOfMemoryError \
      -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.showDateTime=true \
      '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS' kafka.Kafka "$dir/server.properties"
  done
}

kafka_all_there() {
  local n
  for ((n = 1; n <= kafka_brokers; n++)); do [ -n "$(pid_of "$(kafka_service "$n")")" ] || return 1; done
}

# What one node may cost the others: of a user that nobody named, bytes a second both ways and a share of one thread of the broker's.
# librdkafka cannot say it; Kafka's own tool can, once for the life of the cluster. Our programs have room.
kafka_after() {
  if [ -n "$kafka_clear" ] || [ -e "$kafka_dir/quotas" ]; then return 0; fi
  cat >"$kafka_dir/tools.properties" <<EOF
security.protocol=SSL
ssl.keystore.type=PEM
ssl.keystore.location=$authority_dir/tools.pem
ssl.truststore.type=PEM
ssl.truststore.location=$authority_dir/root.pem
EOF
  kafka_quota producer_byte_rate=4194304,consumer_byte_rate=16777216,request_percentage=100 --entity-default
  kafka_quota producer_byte_rate=1073741824,consumer_byte_rate=1073741824,request_percentage=10000 --entity-name coordinator
  touch "$kafka_dir/quotas"
}
kafka_quota() { # VALUES WHOSE...
  kafka_java kafka.admin.ConfigCommand --bootstrap-server "127.0.0.1:$kafka_port" --command-config "$kafka_dir/tools.properties" --alter \
    --entity-type users "${@:2}" --add-config "$1" >>"$kafka_log" 2>&1 || failed kafka "does not take quotas"
}

# It is there once it tells who its brokers are; a port that nobody listens on is no reason to wait.
kafka_ready() {
  [ -n "$(pid_of kafka)" ] && { : <>"/dev/tcp/127.0.0.1/$kafka_port"; } 2>/dev/null &&
    [[ $(timeout 5 kcat -F "$kafka_tools" -L -b "127.0.0.1:$kafka_port" -t none -m 3 2>/dev/null) == *" $kafka_brokers brokers:"* ]]
}

# Where other machines reach this one is another address than before: what listens there begins anew.
kafka_moved() {
  [ -n "$(pid_of kafka)" ] || return 0
  if [ -n "$kafka_clear" ] || [ "$nodes_ip" = 127.0.0.1 ] || grep -q "^advertised.listeners=.*FAR://$nodes_ip:.*ONE://$nodes_ip:" "$kafka_dir/server.properties"; then return 0; fi
  stop gate
  edge_down
  kafka_down
  dns_down
}

kafka_down() {
  local n signal=TERM
  [ "$kafka_brokers" = 1 ] || signal=KILL # the last ones of a cluster would wait for those that have gone before
  for ((n = kafka_brokers; n >= 1; n--)); do stop "$(kafka_service "$n")" $signal; done
}
kafka_at() { local n out=''; for ((n = 0; n < kafka_brokers; n++)); do out+=,$1:$((kafka_port + 10 * n + $2)); done; printf %s "${out#,}"; } # ADDRESS SHIFT
kafka_address() { kafka_at 127.0.0.1 0; echo; }
kafka_env() {
  export_line FAIRLEAD_KAFKA "$(kafka_at 127.0.0.1 0)"
  export_line KCAT_CONFIG "$kafka_tools"
  [ -z "$kafka_clear" ] || return 0
  if [ "$nodes_ip" = 127.0.0.1 ]; then
    export_line FAIRLEAD_KAFKA_NODES "$(kafka_at 127.0.0.1 2)"
  else
    export_line FAIRLEAD_KAFKA_NODES "$(kafka_at "$nodes_ip" 3)"
  fi
  export_line FAIRLEAD_AUTHORITY "$authority_dir"
  export_line FAIRLEAD_KAFKA_CA "$authority_dir/root.pem"
  export_line FAIRLEAD_KAFKA_CERT "$authority_dir/coordinator.pem"
  export_line FAIRLEAD_KAFKA_ADMIN_CERT "$authority_dir/topics.pem"
  export_line FAIRLEAD_KAFKA_TOOLS "$authority_dir/tools.pem"
}
