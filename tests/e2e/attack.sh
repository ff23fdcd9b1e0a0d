#!/usr/bin/env bash
# What could stop a whole fleet, tried: a node that was taken over, a login that only looks, a database that takes no
# writes, a broker that is slow. Nobody else waits, nothing grows without an end, and doctor says it (P8, P12, P14, P24).
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/processes.sh
. "$root/tests/support/processes.sh"
tag=$(($(date +%s) % 100000))
coordinator=$(cat "$fleet/coordinator.pid")
superuser=${FAIRLEAD_DATABASE_URL/fairlead_owner@/postgres@}
reader=${FAIRLEAD_DATABASE_URL/fairlead_owner/fairlead_read}
writer=${FAIRLEAD_DATABASE_URL/fairlead_owner/fairlead_app}
as_super() { psql -XAtq "$superuser" -c "$1"; }
end() {
  as_super 'alter system reset default_transaction_read_only' >/dev/null 2>&1 && as_super 'select pg_reload_conf()' >/dev/null 2>&1 || true
  kill -CONT "$(service_pid kafka)" 2>/dev/null || true
  "$root/deploy/dev/stack" up >/dev/null
  "$root/deploy/dev/fleet" up >/dev/null
}
trap end EXIT
dead() { sql "select count(*) from dead_letters"; }
log_size() { stat -c %s "$fleet/coordinator.log"; }
# In MiB; the peak is the kernel's.
peak_mib() { awk '/^VmHWM/ {print int($2 / 1024)}' "/proc/$coordinator/status"; }
n=0
served() { # a neighbour's request is carried out, and nothing of it waits
  n=$((n + 1))
  answers 202 POST /v1/instances -d "$(noop "a$tag-$n")" || return 1
  within "$1" state_is "a$tag-$n" running
}
read_all() { within 30 bash -c "'$fairlead' doctor -o json | jq -e '.[] | select(.check == \"ingest\") | .ok and (.what | startswith(\"0 \"))'"; }
served 60 >/dev/null

# ---- a node that was taken over: the largest record of each kind that the broker takes ----
"$BUILD/tests/support/forge" "$fleet/slave" order 1 >/dev/null
for kind in order document condition unknown inventory parts; do
  flood() {
    local dead_before log_before peak_before count=0
    [ "$kind" != inventory ] && [ "$kind" != parts ] || count=3000
    read_all || return 1
    dead_before=$(dead) log_before=$(log_size) peak_before=$(peak_mib)
    "$BUILD/tests/support/forge" "$fleet/slave" "$kind" "$count" || return 1
    served 10 || return 1
    read_all || return 1
    [ $(($(dead) - dead_before)) -le 1 ] || { echo "$(($(dead) - dead_before)) dead letters"; return 1; }
    [ $(($(log_size) - log_before)) -lt 100000 ] || { echo "its log grew by $(($(log_size) - log_before)) bytes"; return 1; }
    [ $(($(peak_mib) - peak_before)) -lt 150 ] || { echo "it took $(($(peak_mib) - peak_before)) MiB more"; return 1; }
  }
  ok "a record full of reports (kind: $kind) delays nobody, and is kept once at most" flood
done
answered_once() { # 3,000 questions of one part: so many lists of it in the node's topic
  local topic before after
  topic=fairlead.node.$(sql "select replace(id::text, '-', '') from nodes where name = 'slave'")
  lists() { kcat -C -q -e -b "$FAIRLEAD_KAFKA" -t "$topic" -f '%o\n' 2>/dev/null | wc -l; }
  before=$(lists)
  "$BUILD/tests/support/forge" "$fleet/slave" inventory 3000 && read_all && served 10 || return 1
  after=$(lists)
  [ $((after - before)) -lt 1000 ] || { echo "$((after - before)) records more"; return 1; }
}
ok "3,000 questions in one record are answered as one" answered_once
sql "delete from dead_letters" >/dev/null

# ---- bytes of Kafka said again ----
last_report_of() { # NODE (hex): partition and offset of the last record of it that is kept
  kcat -C -q -e -b "$FAIRLEAD_KAFKA" -t fairlead.reports -o beginning -f 'RECORD:%p %o %k' 2>/dev/null |
    perl -e 'local $/; for (split /RECORD:/, <STDIN>) { $last = "$1 $2" if /^(\d+) (\d+) (.*)$/s && unpack("H*", $3) eq $ARGV[0] } print "$last\n"' "$1"
}
"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
replayed() {
  local node name partition offset before
  "$fairlead" instance create testapp "r$tag" --size tiny --wait --timeout 180 >/dev/null || return 1
  node=$(sql "select replace(node_id::text, '-', '') from instances where name = 'r$tag'")
  read -r partition offset < <(last_report_of "$node")
  kcat -C -q -e -b "$FAIRLEAD_KAFKA" -t fairlead.reports -p "$partition" -o "$offset" -c 1 -D '' >"$fleet/record"
  perl -e 'print pack "H*", $ARGV[0]' "$node" >"$fleet/key"
  # Its program begins anew, and says all again: the bytes are of an earlier stream from then on.
  name=$(sql "select name from nodes where replace(id::text, '-', '') = '$node'")
  before=$(sql "select max(stream::text) from documents where replace(node_id::text, '-', '') = '$node'")
  kill "$(cat "$fleet/$name.pid")" && within 30 gone "$(cat "$fleet/$name.pid")"
  "$root/deploy/dev/fleet" up >/dev/null
  within 60 sql_is "select min(stream::text) > '$before' from documents d join instances i on i.id = d.instance_id where i.name = 'r$tag' and replace(d.node_id::text, '-', '') = '$node'" t || return 1
  before=$(sql "select string_agg(kind || ' ' || stream, ' ' order by kind) from documents d join instances i on i.id = d.instance_id where i.name = 'r$tag'")
  perl -e 'local $/; open my $k, "<", $ARGV[0]; open my $v, "<", $ARGV[1]; print <$k> . "\x01SEP\x01" . <$v> . "\x02END\x02"' "$fleet/key" "$fleet/record" >"$fleet/again"
  kcat -P -b "$FAIRLEAD_KAFKA" -t fairlead.reports -K $'\x01SEP\x01' -D $'\x02END\x02' -l "$fleet/again" && read_all && served 10 || return 1
  [ "$(sql "select string_agg(kind || ' ' || stream, ' ' order by kind) from documents d join instances i on i.id = d.instance_id where i.name = 'r$tag'")" = "$before" ]
}
ok "a record of an earlier life of its node changes nothing (P14)" replayed
purged() {
  local id
  id=$("$fairlead" instance get "r$tag" -o json | jq -r .id)
  sql_is "select count(*) > 0 from recovery_boxes where instance_id = '$id'" t || return 1
  sql_is "select count(*) > 0 from credentials where instance_id = '$id'" t || return 1
  "$fairlead" instance delete "r$tag" --purge --wait --timeout 90 || return 1
  sql_is "select (select count(*) from recovery_boxes where instance_id = '$id') + (select count(*) from credentials where instance_id = '$id')" 0 || return 1
  answers 200 GET "/v1/instances/$id/credentials" && [ "$(jq '.items | length' "$fleet/body")" = 0 ]
}
ok "what is purged leaves no secret to be opened" purged

# ---- whoever logs in to look ----
looker() {
  local pid rc=0
  coproc LOOK { exec psql -XAtq "$reader"; }
  pid=$LOOK_PID
  echo "select count(pg_advisory_lock(7061, n)) from generate_series(0, 31) n;" >&"${LOOK[1]}"
  read -r -t 5 _ <&"${LOOK[0]}" || rc=1
  kill "$coordinator" && within 30 gone "$coordinator"
  "$root/deploy/dev/fleet" up >/dev/null
  coordinator=$(cat "$fleet/coordinator.pid")
  within 20 bash -c "'$fairlead' doctor | grep -q 'ok  relay *9 of 9'" || rc=1
  served 10 || rc=1
  kill "$pid" 2>/dev/null || true
  return $rc
}
ok "who may only look takes no lane of the relay" looker
ok "... nor writes that it has one" bash -c "! psql -XAtq '$reader' -c 'update lanes set pid = 1' 2>/dev/null"
for sum in reservations usages; do
  ok "... and the application does not say itself what its $sum are" bash -c "psql -XAtq '$writer' -c 'update $sum set memory_mb = 0' 2>&1 | grep -q 'permission denied'"
done
for call in 'use(gen_random_uuid(), -1, -1)' 'reserve(1, null::sets)'; do
  for who in "$writer" "$reader"; do
    ok "... nor has it said by ${call%%(*}()" bash -c "psql -XAtq '$who' -c 'select $call' 2>&1 | grep -q 'permission denied for table'"
  done
done
begins() { psql -XAtq -v ON_ERROR_STOP=1 "$writer" -c "insert into instances (tenant_id, id, customer_id, plane_id, release_id, name, inputs, state, accepted, running, port, memory_mb, cpu_milli, disk_mb, trial_days, event_seq, created_at, updated_at) select t.id, gen_random_uuid(), t.customer_id, p.id, '00000000-0000-7000-8000-000000000001', 'forged', '{}', '$1', 1, 1, 0, 0, 0, 0, 30, 1, now(), now() from tenants t, planes p limit 1" 2>&1; }
for state in running stopped deleted nonsense; do
  ok "an instance cannot begin as \"$state\"" bash -c "$(declare -f begins); writer='$writer'; ! begins $state && begins $state | grep -q 'does not begin in that state'"
done

# ---- many who look at once ----
scrapes() {
  seq 60 | xargs -P 12 -I{} curl -fs -m 20 -H "Authorization: Bearer $(cat "$fleet/token")" "$FAIRLEAD_SERVER/metrics" -o "$fleet/scrape.{}" || return 1
  [ "$(grep -l '^fairlead_instances{state="running"}' "$fleet"/scrape.* | wc -l)" = 60 ] && [ "$(grep -c '^fairlead_outbox_held ' "$fleet"/scrape.* | grep -c ':1$')" = 60 ]
  local rc=$?
  rm -f "$fleet"/scrape.*
  return $rc
}
ok "scrapes side by side do not empty each other's gauges" scrapes

# ---- a database that takes no writes ----
read_only_on() { as_super 'alter system set default_transaction_read_only = on' && as_super 'select pg_reload_conf()'; }
read_only_off() { psql -XAtq "$superuser" -c 'set default_transaction_read_only = off' -c 'alter system reset default_transaction_read_only' -c 'select pg_reload_conf()'; }
log_before=$(log_size)
read_only_on >/dev/null
ok "read-only: not ready" within 10 answers 503 GET /readyz
ok "... and the code says why" code_is read_only
ok "... a request is refused with the reason" bash -c ". '$root/tests/support/e2e.sh'; within 30 answers 503 POST /v1/instances -m 30 -d '$(noop "ro$tag")' && code_is read_only"
ok "... doctor says it, and what to do" bash -c "'$fairlead' doctor | grep -A 1 'BAD writes' | grep -q 'next: PostgreSQL must take writes'"
ok "... status says it" bash -c "'$fairlead' status | grep -q '!  writes: '"
ok "... what can be read is read" bash -c "'$fairlead' instance list >/dev/null"
busy() { # so many batches that it could not store: a second of them is enough to see how the log grows
  seq 40 | xargs -P 20 -I{} curl -s -o /dev/null -m 30 -X POST -H "Authorization: Bearer $(cat "$fleet/token")" -H 'Content-Type: application/json' -d "$(noop "b$tag-{}")" "$FAIRLEAD_SERVER/v1/instances"
  [ $(($(log_size) - log_before)) -lt 100000 ] || { echo "its log grew by $(($(log_size) - log_before)) bytes"; return 1; }
}
ok "... its log does not grow with the tries" busy
read_only_off >/dev/null
ok "writable again: ready, without a restart" within 20 answers 200 GET /readyz
ok "... and what is asked for is done" within 20 served 20
ok "... by the same process" kill -0 "$coordinator"
ok "... and doctor is content" within 60 "$fairlead" doctor

# ---- a slow broker ----
slow_broker() {
  local owner broker rc=0
  broker=$(service_pid kafka)
  owner=$(sql "select string_agg(pid::text, ' ' order by lane) from lanes")
  kill -STOP "$broker"
  answers 202 POST /v1/instances -d "$(noop "slow$tag")" || rc=1
  # A flush lasts longer than the server waits for a word of a session that idles.
  within 20 sql_is "select max(clock_timestamp() - waits_since) > interval '7 seconds' from lanes" t || rc=1
  sql_is "select string_agg(pid::text, ' ' order by lane) from lanes" "$owner" || rc=1
  kill -CONT "$broker"
  within 40 state_is "slow$tag" running || rc=1
  return $rc
}
ok "a slow broker takes no lane from its relay" slow_broker
# ---- a record that the broker never takes, among others ----
bad_one() { # a compacted topic takes no record without a key; librdkafka refuses the whole batch for it
  local topic before
  topic=fairlead.node.$(sql "select replace(id::text, '-', '') from nodes where name = 'slave'")
  before=$(kcat -C -q -e -b "$FAIRLEAD_KAFKA" -t "$topic" -f '%k\n' | grep -ac "^good-$tag-" || true)
  sql "insert into outbox (lane, kind, topic, partition, key, value)
    select 1, 'record', '$topic', 0, case when n = 20 then null else convert_to('good-$tag-' || n, 'UTF8') end, 'x' from generate_series(1, 40) n;
    select pg_notify('fairlead_relay', '')" >/dev/null
  within 30 sql_is "select count(*) from outbox" 0 || return 1
  sql_is "select count(*) from outbox_held where topic = '$topic'" 1 || return 1
  sql "delete from outbox_held where topic = '$topic'" >/dev/null
  [ $(($(kcat -C -q -e -b "$FAIRLEAD_KAFKA" -t "$topic" -f '%k\n' | grep -a "^good-$tag-" | sort -u | wc -l) - before)) = 39 ]
}
ok "a record that no broker takes is held alone; its batch goes on" bad_one
ok "doctor is content after all of it" within 60 "$fairlead" doctor
finish
