#!/usr/bin/env bash
# Kills real processes at every boundary of the loop (reliability section 2): coordinator and worker die there, come
# back, the client repeats, and one instance runs with its two events. Then whole services are stopped for a while.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/processes.sh
. "$root/tests/support/processes.sh"
tag=$(($(date +%s) % 100000))

ask() { api POST /v1/instances -H "Idempotency-Key: $1" -d "$(noop "$1")"; }
asked() { [ "$(ask "$1")" = 202 ]; }
whole() { # NAME: one instance, running, two events
  sql_is "select count(*) from instances where name = '$1'" 1 &&
    sql_is "select state from instances where name = '$1'" running &&
    sql_is "select string_agg(e.sequence || e.type, ',' order by e.sequence) from events e join instances i on i.id = e.instance_id where i.name = '$1'" 1created,2running
}
survives() { # NAME
  within 30 asked "$1" && within 40 whole "$1" && within 20 sql_is 'select count(*) from outbox' 0
}

coordinator_dies_at() { # POINT
  local name=f$tag-${1//./-}
  name=${name:0:20}
  kill_coordinator
  start_coordinator "$1:kill"
  local pid
  pid=$(coordinator)
  within 10 bash -c "curl -fs -m 2 $FAIRLEAD_SERVER/healthz || ! kill -0 $pid" || true
  ask "$name" >/dev/null || true
  within 20 gone "$pid" || return 1
  start_coordinator ''
  survives "$name"
}
worker_dies_at() { # POINT
  local name=w$tag-${1//./-} pid
  name=${name:0:20}
  for worker in server slave; do kill -9 "$(cat "$fleet/$worker.pid")"; done
  start_worker slave host "$1:kill"
  pid=$(cat "$fleet/slave.pid")
  asked "$name" || return 1
  within 30 gone "$pid" || return 1
  start_worker server builder,host,edge,dns,prober ''
  start_worker slave host ''
  survives "$name"
}

for point in api.parsed api.reply engine.begin engine.decided engine.stored engine.commit engine.committed \
  relay.read relay.queued relay.delivered relay.deleted ingest.polled ingest.committed; do
  ok "the coordinator dies at $point: nothing is lost or doubled (P1-P3)" coordinator_dies_at "$point"
done
for point in worker.polled worker.done worker.reported; do
  ok "a worker dies at $point: nothing is lost or doubled (P4)" worker_dies_at "$point"
done

reply_lost() { # the connection to the database is cut while COMMIT is on its way
  kill_coordinator
  start_coordinator engine.commit:fail
  within 10 ready
  survives "l$tag"
}
ok "the reply to COMMIT is lost: one instance (P2)" reply_lost
ran_again() { curl -fs -H "Authorization: Bearer $(cat "$fleet/token")" "$FAIRLEAD_SERVER/metrics" | grep -q '^fairlead_engine_batches_again_total{engine="api"} [1-9]'; }
reply_lost_without_key() { # it is known by its intent, and answered with its own identity
  kill_coordinator
  start_coordinator engine.commit:fail
  within 10 ready
  answers 202 POST /v1/instances -d "$(noop "z$tag")" || return 1
  local id
  id=$(jq -r .id "$fleet/body")
  ran_again && within 40 whole "z$tag" && sql_is "select id from instances where name = 'z$tag'" "$id"
}
ok "... also of a request that has no key" reply_lost_without_key

paused() { # SECONDS PID...: stopped, then let go
  local seconds=$1 end
  shift
  kill -STOP "$@"
  end=$((SECONDS + seconds))
  while [ $SECONDS -lt $end ]; do ask "s$tag-$1" >/dev/null || true; done
  kill -CONT "$@"
}
broker_pauses() { paused 8 "$(service_pid kafka)"; survives "k$tag"; }
database_dies() { local pid; pid=$(service_pid postgres); kill -INT "$pid"; within 20 gone "$pid"; "$root/deploy/dev/stack" up >/dev/null; survives "d$tag"; }
redis_dies() { kill "$(service_pid redis)"; survives "q$tag"; }
readers_are() { # HOW_MANY: of all partitions of the reports
  [ "$("$fairlead" inside -o json | jq -c '[.partitions | map(select(.alive)) | (map(.pid) | unique | length), length]')" = "[$1,16]" ]
}
other_coordinator() { # two of them; the first is stopped in the middle
  FAIRLEAD_PORT=$((FAIRLEAD_PORT + 9)) FAIRLEAD_STATE=$fleet/coordinator setsid "$BUILD/fairlead-coordinator" run >>"$fleet/second.log" 2>&1 </dev/null &
  local second=$! first server=$FAIRLEAD_SERVER
  first=$(coordinator)
  FAIRLEAD_SERVER=http://127.0.0.1:$((FAIRLEAD_PORT + 9))
  within 10 ready
  local rc=0
  # They read half of the reports each; then the one that goes on reads all.
  within 10 readers_are 2 || rc=1
  kill -STOP "$first"
  survives "o$tag" || rc=1
  within 10 readers_are 1 || rc=1
  kill -CONT "$first"
  kill -TERM "$second"
  within 20 gone "$second" || rc=1
  FAIRLEAD_SERVER=$server
  return $rc
}
one_worker_stops() { # the other goes on
  local pid rc=0
  pid=$(cat "$fleet/slave.pid")
  kill -STOP "$pid"
  survives "x$tag" || rc=1
  kill -CONT "$pid"
  return $rc
}
forged() { # not an envelope, and an envelope of nobody: kept, and their neighbours are not delayed (P8)
  local before
  before=$(sql 'select count(*) from dead_letters')
  printf 'garbage' | kcat -P -b "$FAIRLEAD_KAFKA" -t fairlead.reports -k 0123456789abcdef
  printf 'garbage' | kcat -P -b "$FAIRLEAD_KAFKA" -t fairlead.orders.noop
  survives "g$tag" && within 10 sql_is "select count(*) - $before from dead_letters" 1
}
ok "the broker stands still for 8 s: same outcome" broker_pauses
ok "PostgreSQL is restarted: same outcome" database_dies
ok "Redis is gone: same outcome (P26)" redis_dies
ok "two coordinators, one is stopped: the other goes on (P5)" other_coordinator
ok "two workers, one is stopped: the other goes on (P5)" one_worker_stops
ok "records that nobody can use are kept and delay nobody (P8)" forged
"$root/deploy/dev/stack" up >/dev/null

finish
