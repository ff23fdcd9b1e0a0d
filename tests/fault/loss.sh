#!/usr/bin/env bash
# What is lost: the tail of the broker, a topic, its whole disk; a slave for a while, its ratchet, its disk, or its disk
# rolled back. And what is too much: more requests than can be served, or none that can be stored.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/processes.sh
. "$root/tests/support/processes.sh"
# shellcheck source=../support/instances.sh
. "$root/tests/support/instances.sh"
tag=$(($(date +%s) % 10000))
kafka=$run/kafka
node_id() { sql "select replace(id::text, '-', '') from nodes where name = '$1'"; }
kill_broker() { local pid; pid=$(service_pid kafka); kill -9 "$pid"; within 20 gone "$pid"; }
start_broker() { "$root/deploy/dev/stack" up >/dev/null; }
logs() { find "$kafka/data" -maxdepth 1 -type d -name 'fairlead.*'; }
# Cuts the last third off the newest segment of each partition that matches.
truncate_tails() { # PATTERN...
  local dir file pattern
  for pattern in "$@"; do
    for dir in $(logs | grep -E "/$pattern-[0-9]+$"); do
      file=$(find "$dir" -name '*.log' | sort | tail -n 1)
      [ ! -s "$file" ] || truncate -s $(($(stat -c %s "$file") * 2 / 3)) "$file"
      rm -f "$dir"/*.index "$dir"/*.timeindex "$dir"/*.snapshot
    done
    rm -f "$kafka"/data/*checkpoint
  done
}
published() { # every event of the table stands in the topic (a moved clock has left some in the future)
  kcat -C -e -q -b "$FAIRLEAD_KAFKA" -t fairlead.events -f '%h\n' 2>/dev/null | grep -o 'ce_id=[^,]*' | sort -u >"$fleet/published"
  [ -z "$(comm -23 <(sql "select 'ce_id=' || id from events where at between now() - interval '100 seconds' and now()" | sort -u) "$fleet/published")" ]
}

explain() {
  "$fairlead" instance get lost -o json | jq -c '{state, health, health_reason, problem, node}'
  sql "select kind, revision, observed, condition, want from documents where instance_id = '$(id lost)'"
  sql "select generation, kind, state, started_at, ended_at from intents where instance_id = '$(id lost)' order by generation desc limit 3"
  sql "select at, type, data from events where instance_id = '$(id lost)' order by sequence desc limit 8"
  sql "select n.name, n.health, clock_timestamp() - n.seen_at from nodes n"
  sql "select kind, subject, due_at - clock_timestamp() from timers order by due_at limit 8"
}

"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
sql "update nodes set roles = array_remove(roles, 'host') where name = 'server'" >/dev/null
"$fairlead" instance create testapp lost --size tiny --wait --timeout 120 >/dev/null

# ---- the broker ----
loses_tail() {
  "$fairlead" instance create testapp "t$tag" --size tiny >/dev/null
  within 20 sql_is "select count(*) from documents d join instances i on i.id = d.instance_id where i.name = 't$tag'" 3 || true
  kill_broker
  truncate_tails 'fairlead\.node\.[0-9a-f]*' 'fairlead\.orders\.[a-z]*' 'fairlead\.reports' 'fairlead\.events'
  start_broker
  within 120 state_is "t$tag" running && within 60 published
}
ok "the broker loses its last records: every instance ends as wanted, every event is published" loses_tail
loses_topic() {
  local topic
  topic=fairlead.node.$(node_id slave)
  "$fairlead" instance stop lost >/dev/null
  kill_broker
  rm -rf "${kafka:?}/data/$topic-0"
  start_broker
  within 120 state_is lost stopped && "$fairlead" instance start lost --wait --timeout 120
}
ok "the broker loses all that a topic held: it is filled again" loses_topic
loses_disk() {
  kill_broker
  rm -rf "${kafka:?}/data"
  start_broker
  "$fairlead" instance create testapp "u$tag" --size tiny >/dev/null
  within 180 state_is "u$tag" running && within 60 published && "$fairlead" instance stop lost --wait --timeout 120 && "$fairlead" instance start lost --wait --timeout 120
}
ok "the broker loses its whole disk: all is published again, and everything goes on" loses_disk
outlasts() { # longer than all tries of a step: what waits in the queue is no failure (P7)
  local i
  kill_broker
  "$fairlead" instance create testapp "away$tag" --size tiny >/dev/null
  answers 202 POST /v1/instances -d "$(noop "noop$tag")" || return 1
  for i in $(seq 20); do
    sql "update installation set clock_offset_us = $i * 60000000" >/dev/null
    sleep_for "$((i < 3 ? 6 : 1))"
  done
  sql_is "select count(*) from instances where name in ('away$tag', 'noop$tag') and state = 'new'" 2 || return 1
  start_broker
  within 120 state_is "away$tag" running && within 30 state_is "noop$tag" running
}
ok "the broker is away beyond the budget of every step: nothing has failed, and nobody has to ask" outlasts
sql "update installation set clock_offset_us = 0" >/dev/null
within 20 sql_is "select clock_held from installation" t
"$fairlead" clock accept >/dev/null
ok "... and when the clock is right again, all is well" within 60 health_is lost ok

# ---- a slave ----
silent() {
  local began=$SECONDS before
  before=$(sql "select count(*) from events where instance_id = '$(id lost)'")
  kill -STOP "$(cat "$fleet/slave.pid")"
  within 45 health_is lost unknown || return 1
  echo "after $((SECONDS - began)) s"
  serves lost && sql_is "select data->>'health' from events where instance_id = '$(id lost)' order by sequence desc limit 1" unknown
}
ok "a lost slave is seen and told, its apps go on (W4)" silent
ok "... the survivors are not disturbed" bash -c "'$fairlead' node get server -o json | jq -e '.health == \"ok\"'"
# It was not started again, so that it has nothing new to say of its apps: to be heard is enough.
kill -CONT "$(cat "$fleet/slave.pid")"
ok "... back, it is heard, and all is well" within 60 health_is lost ok
forgets_ratchet() {
  local was
  was=$(container lost)
  kill -9 "$(cat "$fleet/slave.pid")"
  rm -rf "$fleet/slave/documents"
  start_worker slave host ''
  within 60 test -e "$fleet/slave/documents/$(hex lost).stack.accepted" && within 30 serves lost && [ "$(container lost)" = "$was" ]
}
ok "a slave that lost its ratchet takes what the coordinator's list stands behind, and touches nothing that runs" forgets_ratchet
rolls_back() { # to before something was deleted and something else was made
  local hex
  "$fairlead" instance create testapp "old$tag" --size tiny --wait --timeout 90 >/dev/null || return 1
  hex=$(hex "old$tag")
  kill -9 "$(cat "$fleet/slave.pid")"
  rm -rf "$fleet/slave.before" && cp -a "$fleet/slave" "$fleet/slave.before"
  start_worker slave host ''
  "$fairlead" instance delete "old$tag" --purge --wait --timeout 90 >/dev/null || return 1
  "$fairlead" instance create testapp "new$tag" --size tiny --wait --timeout 90 >/dev/null || return 1
  kill -9 "$(cat "$fleet/slave.pid")"
  rm -rf "$fleet/slave" && mv "$fleet/slave.before" "$fleet/slave"
  start_worker slave host ''
  # It may start what it remembers, without a link; it must hear that it is gone.
  within 60 bash -c "[ -z \"\$(docker -H unix://$FAIRLEAD_DOCKER ps -aq --filter label=fairlead.instance=$hex)\" ] && [ ! -e '$fleet/slave/stacks/$hex' ]" &&
    within 60 test -e "$fleet/slave/documents/$(hex "new$tag").stack.accepted" && within 30 serves "new$tag"
}
ok "a slave rolled back to last month hears again what is gone, and what is new" rolls_back
loses_all() {
  local all
  kill -9 "$(cat "$fleet/slave.pid")"
  all=$(engine ps -aq --filter "label=fairlead.node=$(node_id slave)")
  # shellcheck disable=SC2086
  engine rm -f $all >/dev/null
  engine volume ls -q --filter "label=fairlead.node=$(node_id slave)" | xargs -r docker -H "unix://$FAIRLEAD_DOCKER" volume rm -f >/dev/null
  umount "$fleet/secrets-slave"
  rm -rf "$fleet/slave" "$fleet/secrets-slave"
  FAIRLEAD_STATE=$fleet/slave "$BUILD/fairlead-worker" enrol "$("$fairlead" node invite slave)" || return 1
  start_worker slave host ''
  within 120 serves lost && within 60 health_is lost ok
}
ok "a slave that lost its whole disk enrols anew and makes everything again" loses_all

# ---- too much ----
rss_peak() { awk '/^VmHWM/ {print int($2 / 1024)}' "/proc/$1/status"; }
overload() { # far more at once than can be served; what was answered with 202 is there, and is done
  local before after pid
  pid=$(coordinator)
  before=$(sql "select count(*) from instances")
  TOKEN=$(cat "$fleet/token") TAG=o$tag wrk -t 2 -c 900 -d "${OVERLOAD_S:-15}s" -s "$root/tests/bench/post.lua" "$FAIRLEAD_SERVER" >"$fleet/wrk.out" 2>&1
  within 60 sql_is "select count(*) from outbox" 0 || return 1
  within 60 sql_is "select count(*) from instances where name like 'o$tag%' and state = 'new'" 0 || return 1
  after=$(sql "select count(*) from instances")
  local answered
  answered=$(awk '/requests in/ {n = $1} /Non-2xx/ {n -= $NF} END {print n + 0}' "$fleet/wrk.out")
  echo "$answered answered, $((after - before)) there, coordinator at most $(rss_peak "$pid") MiB"
  [ "$answered" -gt 1000 ] && [ "$((after - before))" -ge "$answered" ] && [ "$(rss_peak "$pid")" -lt 256 ] && [ "$(rss_peak "$(cat "$fleet/server.pid")")" -lt 256 ]
}
"$fairlead" plan create bench --title "No limits" >/dev/null 2>&1 || true
"$fairlead" customer create bench --plan bench >/dev/null 2>&1 || true
"$fairlead" tenant create bench/main >/dev/null 2>&1 || true
ok "under overload memory is bounded and nothing accepted is lost (P24)" overload
cat "$fleet/test.out"
accepts_at_once() { # a new name each time: one that was answered too late is there all the same
  asked=$((asked + 1))
  [ "$(curl -s -o /dev/null -w '%{http_code}' -m 1 -X POST -H "Authorization: Bearer $(cat "$fleet/token")" -H 'Content-Type: application/json' \
    -d "$(noop "n$asked-$tag")" "$FAIRLEAD_SERVER/v1/instances")" = 202 ]
}
asked=0
ok "... and it is back to normal within 10 s" within 10 accepts_at_once
refuses() { # the database does not answer: nobody waits for ever, and everybody is told when to come again
  local postmaster rc=0
  postmaster=$(service_pid postgres)
  pkill -STOP -P "$postmaster"
  kill -STOP "$postmaster"
  curl -s -m 30 -D "$fleet/head" -o "$fleet/body" -X POST -H "Authorization: Bearer $(cat "$fleet/token")" -H 'Content-Type: application/json' -d "$(noop "r$tag")" "$FAIRLEAD_SERVER/v1/instances" &
  local client=$!
  sleep_for 11
  # One that nobody has begun is answered in time; the first is in the database's hands until it is back.
  pkill -CONT -P "$postmaster"
  kill -CONT "$postmaster"
  wait "$client" || rc=1
  grep -qE '^HTTP/1.1 (202|503)' "$fleet/head" || rc=1
  ! grep -q 503 "$fleet/head" || grep -qi '^Retry-After' "$fleet/head" || rc=1
  return $rc
}
ok "a database that stands still is 503 with Retry-After, or done late, never silence" refuses

for name in lost "t$tag" "u$tag" "new$tag" "away$tag" "noop$tag"; do "$fairlead" instance delete "$name" --purge >/dev/null 2>&1 || true; done
sql "update nodes set roles = '{builder,host,edge,dns,prober}' where name = 'server'" >/dev/null
for w in server slave; do kill -9 "$(cat "$fleet/$w.pid")"; done
start_worker server builder,host,edge,dns,prober ''
start_worker slave host ''
within 90 sql_is "select count(*) from instances where name in ('lost', 't$tag', 'u$tag', 'new$tag', 'away$tag') and state <> 'deleted'" 0 || true
finish
