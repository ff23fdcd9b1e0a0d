# The parts of the pipeline alone: the relay from a full outbox, the ingest from a full topic. Sourced by run.
# shellcheck shell=bash disable=SC2154
# The coordinator's parts run one after the other, so that each finds all of its work waiting.
parts() { # ROUND
  local tag=p$1- n start took
  "$root/deploy/dev/fleet" up >/dev/null
  stop_part coordinator
  part_of api
  within 20 ready
  post "$tag" 2 64 >/dev/null
  stop_part bench-api
  n=$(count_of "$tag")
  start=$(now_us)
  part_of relay
  within 60 is 0 "select count(*) from outbox where lane < 90"
  took=$(($(now_us) - start))
  sample relay_orders_per_s $((n * 1000000 / took))
  # the worker carries them out; its reports wait in the topic
  within 60 idle_worker
  stop_part bench-relay
  part_of ingest
  within 60 settled
  # from the first batch to the last: joining the group takes Kafka a second or two
  sample reports_per_s "$(sql "select round(count(*) / extract(epoch from max(n.ended_at) - min(n.ended_at))) from intents n join instances i on i.id = n.instance_id where i.name like '$tag%'")"
  stop_part bench-ingest
  sql "set client_min_messages = warning; drop table if exists bench_keys; create unlogged table bench_keys as select (row_number() over ())::int n, tenant_id, id from instances where name like '$tag%'; create unique index on bench_keys (n); analyze bench_keys"
  sample array_updates_per_s "$(PGOPTIONS='-c synchronous_commit=on' pgbench -n -M prepared -f "$here/updates.sql" -D "last=$((n > 200 ? n - 200 : 1))" -c 1 -T "$seconds" "$FAIRLEAD_DATABASE_URL" 2>/dev/null | sed -n 's/^tps = \([0-9.]*\).*/\1/p' | awk '{printf "%.0f", $1 * 200}')"
  sql "drop table bench_keys"
  start_coordinator
  within 20 ready
}
# Workers that have used hardly any CPU for a quarter of a second have nothing left to do.
idle_worker() {
  local before
  before=$(cpu_us "$(pid_of server)" "$(pid_of slave)")
  read -r -t 0.25 <> <(:) || true
  [ $(($(cpu_us "$(pid_of server)" "$(pid_of slave)") - before)) -lt 20001 ]
}
# kill -9 in the middle of 1,000 intents per second: until what was accepted after it is done within a second again.
recovery() { # ROUND
  local tag=c$1- start load
  post_at "$tag" 1000 9 >/dev/null &
  load=$!
  read -r -t 4 <> <(:) || true
  kill -9 "$(pid_of coordinator)"
  start=$(now_us)
  start_coordinator
  within 30 is t "select exists (select from intents n join instances i on i.id = n.instance_id where i.name like '$tag%' and n.state = 'done' and n.accepted_at > to_timestamp($start / 1e6))"
  within 30 is 0 "select count(*) from intents n join instances i on i.id = n.instance_id where i.name like '$tag%' and n.state = 'running' and n.accepted_at < clock_timestamp() - interval '1 second'"
  sample recovery_s "$(awk -v us=$(($(now_us) - start)) 'BEGIN {printf "%.2f", us / 1e6}')"
  wait "$load"
  within 60 settled
  sample recovery_lost "$(sql "select count(*) from intents n join instances i on i.id = n.instance_id where i.name like '$tag%' and n.state <> 'done'")"
}
