#!/usr/bin/env bash
# What an operator lives with: status, doctor, metrics, logs with the trace of a request; two coordinators side by side.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/processes.sh
. "$root/tests/support/processes.sh"
tag=$(($(date +%s) % 100000))
auth="Authorization: Bearer $(cat "$fleet/token")"
second=
end() {
  [ -z "$second" ] || kill "$second" 2>/dev/null || true
  "$root/deploy/dev/stack" up >/dev/null
  "$root/deploy/dev/fleet" up >/dev/null
}
trap end EXIT
noop() { printf '{"app":"noop","name":"%s","customer":"e2e","tenant":"main","plane":"main"}' "$1"; }

"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null

# ---- status and doctor ----
same_counts() { [ "$("$fairlead" status -o json | jq -S '.instances | with_entries(select(.value > 0))')" = "$(sql "select coalesce(jsonb_object_agg(state, n), '{}') from (select state, count(*) n from instances where state <> 'deleted' group by 1) s" | jq -S .)" ]; }
ok "status counts what the table holds" within 10 same_counts
ok "doctor finds nothing, and its exit code says so" within 30 "$fairlead" doctor
ok "... and each check has a name, a finding and no next step" bash -c "'$fairlead' doctor -o json | jq -e 'length > 8 and all(.[]; .check and .what and .ok and .next == \"\")'"
bundle_is_whole() {
  "$fairlead" doctor --bundle "$fleet/bundle.txt" || return 1
  for part in Doctor Status Inside Nodes 'Key sets'; do grep -q "^## $part$" "$fleet/bundle.txt" || { echo "no $part"; return 1; }; done
  grep -q '"name": "slave"' "$fleet/bundle.txt" && ! grep -q 'not to be had' "$fleet/bundle.txt" && [ "$(stat -c %a "$fleet/bundle.txt")" = 600 ]
}
ok "a bundle for whoever helps from afar has all of it, for its owner alone" bundle_is_whole
ok "... and no token" lacks "$(cat "$fleet/bundle.txt")" "$(cat "$fleet/token")"
redis_lost() {
  local pid out rc=0
  pid=$(cat "$run/redis/pid")
  kill "$pid" && within 10 gone "$pid"
  out=$("$fairlead" doctor) || rc=$?
  "$root/deploy/dev/stack" up >/dev/null
  echo "$out"
  [ $rc = 1 ] && grep -E 'redis.*start it' <<<"$(tr '\n' ' ' <<<"$out")"
}
ok "doctor names what is away, and what to do" redis_lost
ok "... and is content once it is back" within 30 "$fairlead" doctor
stuck() {
  sql "update nodes set roles = array_remove(roles, 'host')" >/dev/null
  "$fairlead" instance create testapp "s$tag" --size tiny >/dev/null
  local rc=0
  within 20 bash -c "'$fairlead' doctor | grep -q 'nobody has'" || rc=1
  within 20 bash -c "'$fairlead' status -o json | jq -e '[.stuck[] | select(.instance == \"s$tag\")] | length == 1 and (.[0].reason | length > 10)'" || rc=1
  sql "update nodes set roles = array_append(roles, 'host')" >/dev/null
  "$fairlead" instance delete "s$tag" --purge --wait --timeout 90 || rc=1
  return $rc
}
ok "what waits for room is in status, with the reason" stuck
# A page of those that wait is 64: one that fits stands behind them.
asked() { printf '{"app":"testapp","name":"%s","customer":"e2e","tenant":"main","plane":"main","size":"%s"}' "$1" "$2"; }
many_wait() {
  local rc=0 i
  sql "update nodes set memory_mb = 100" >/dev/null
  for i in $(seq 70); do answers 202 POST /v1/instances -d "$(asked "m$tag-$i" small)" || rc=1; done
  answers 202 POST /v1/instances -d "$(asked "fits$tag" tiny)" || rc=1
  within 30 sql_is "select count(*) from instances where name = 'fits$tag' and node_id is not null" 1 || rc=1
  sql_is "select count(*) from instances where name like 'm$tag-%' and node_id is not null" 0 || rc=1
  for i in $(sql "select id from instances where name like 'm$tag-%' or name = 'fits$tag'"); do answers 202 DELETE "/v1/instances/$i?purge=true" || rc=1; done
  within 60 sql_is "select count(*) from instances where (name like 'm$tag-%' or name = 'fits$tag') and not gone" 0 || rc=1
  sql "update nodes set memory_mb = 4096" >/dev/null
  return $rc
}
ok "one that fits is placed behind more than a page of those that do not" many_wait

ok "what docs/SQL.md asks is answered to fairlead_read" bash -c "set -o pipefail; sed -n '/^\`\`\`sql/,/^\`\`\`/p' '$root/docs/SQL.md' | grep -v '^\`' | psql -XAtq -v ON_ERROR_STOP=1 '${FAIRLEAD_DATABASE_URL/fairlead_owner/fairlead_read}'"

# ---- who leaves ----
left() { # nothing that was typed is in any table any more, as text or inside a document
  local mail="left$tag@harbour.example" rc=0 hex
  hex=$(printf %s "$mail" | od -An -tx1 | tr -d ' \n')
  "$fairlead" customer create "left$tag" --plan trial --title "Title of $mail" >/dev/null && "$fairlead" tenant create "left$tag/main" --title "Title of $mail" >/dev/null || return 1
  "$fairlead" member add "left$tag/anna" --role administrator --title "Title of $mail" >/dev/null || return 1
  FAIRLEAD_TENANT=left$tag/main "$fairlead" instance create testapp "gone$tag" --size tiny --set "title=$mail" --wait --timeout 120 >/dev/null || return 1
  [ "$(pg_dump --enable-row-security "$FAIRLEAD_DATABASE_URL" --data-only | grep -cE "$mail|$hex")" -gt 2 ] || { echo "it was never there"; rc=1; }
  FAIRLEAD_TENANT=left$tag/main "$fairlead" instance delete "gone$tag" --purge --wait --timeout 90 >/dev/null || rc=1
  "$fairlead" tenant delete "left$tag/main" && "$fairlead" customer delete "left$tag" || rc=1
  within 20 bash -c "! pg_dump --enable-row-security '$FAIRLEAD_DATABASE_URL' --data-only | grep -oE '.{60}($mail|$hex)'" || rc=1
  ! "$fairlead" customer get "left$tag" 2>/dev/null || rc=1
  "$fairlead" customer create "left$tag" --plan trial >/dev/null && "$fairlead" customer delete "left$tag" || rc=1
  sql_is "select count(*) from members where title like '%$mail%'" 0 || rc=1
  sql_is "select count(*) from instances where name = 'gone$tag' and gone and inputs = '{}'" 1 || rc=1
  sql_is "select count(*) > 5 from events e join instances i on i.id = e.instance_id where i.name = 'gone$tag'" t || rc=1
  return $rc
}
ok "a customer who leaves takes along what was typed; history stays, and the name is free" left

# ---- metrics ----
ok "metrics want a token" bash -c "[ \"\$(curl -s -o /dev/null -w '%{http_code}' $FAIRLEAD_SERVER/metrics)\" = 401 ]"
all_of() { # WHO URL
  curl -fs -H "$auth" "$2" >"$fleet/metrics" || return 1
  local name missing=0
  while read -r name; do
    grep -q "^# TYPE $name " "$fleet/metrics" || { echo "$name is not there"; missing=1; }
  done < <(sed -n "s/^| \`\(fairlead_[a-z_]*\)\` | [a-z]* | [^|]* | \($1\|both\) .*/\1/p" "$root/docs/METRICS.md")
  return $missing
}
ok "the coordinator prints every metric of the docs" all_of coordinator "$FAIRLEAD_SERVER/metrics"
value() { sed -n "s/^$1 //p" "$fleet/metrics"; }
count_rises() {
  local before
  before=$(value 'fairlead_intents_total{kind="create",result="accepted"}')
  answers 202 POST /v1/instances -d "$(noop "m$tag")" || return 1
  all_of coordinator "$FAIRLEAD_SERVER/metrics"
  [ "$(value 'fairlead_intents_total{kind="create",result="accepted"}')" = $((${before:-0} + 1)) ]
}
ok "... and counts one intent as one" count_rises

# ---- logs ----
pid=$(cat "$fleet/server.pid")
kill "$pid" && within 30 gone "$pid"
from=$(wc -l <"$fleet/server.log")
FAIRLEAD_LOG_FORMAT=json FAIRLEAD_METRICS=127.0.0.1:18299 start_worker server builder,host,edge,dns,prober ""
ok "a worker prints every metric of the docs" within 20 all_of worker http://127.0.0.1:18299/metrics
trace=$(openssl rand -hex 16)
traced() {
  answers 202 POST /v1/instances -H "traceparent: 00-$trace-$(openssl rand -hex 8)-01" -d "$(noop "t$tag")" || return 1
  within 20 state_is "t$tag" running || return 1
  grep '"request"' "$fleet/coordinator.log" | grep -q "$trace" || { echo "not in the coordinator's log"; return 1; }
  within 10 grep -q "order.*$trace" "$fleet/server.log" "$fleet/slave.log" || { echo "not in a worker's log"; return 1; }
  within 10 bash -c "kcat -C -e -q -b '$FAIRLEAD_KAFKA' -t fairlead.events -f '%h\n' | grep -q 'ce_traceparent=00-$trace'"
}
ok "the trace of a request is in the logs of coordinator and worker, and in its events" traced
ok "a JSON log is one object per line" within 20 bash -c "tail -n +$((from + 1)) '$fleet/server.log' | jq -es 'length > 1 and all(.[]; .time and .level and .program and .msg)'"
ok "nonsense as traceparent is replaced, not carried on" bash -c ". '$root/tests/support/e2e.sh'; answers 202 POST /v1/instances -H 'traceparent: 00-zz-\"x-01' -d '$(noop "n$tag")' && [ -z \"\$(sql \"select 1 from events where trace like '%zz%'\")\" ]"

# ---- two coordinators ----
FAIRLEAD_PORT=$((FAIRLEAD_PORT + 9)) FAIRLEAD_STATE=$fleet/coordinator setsid "$BUILD/fairlead-coordinator" run >>"$fleet/second.log" 2>&1 </dev/null &
second=$!
other=http://127.0.0.1:$((FAIRLEAD_PORT + 9))
within 20 curl -fs -m 2 "$other/readyz"
id=$("$fairlead" instance get "t$tag" -o json | jq -r .id)
in_order() { # requests through both at once: what the events topic holds of it rises by one
  local last
  seq 40 | xargs -P 16 -I{} bash -c "s=$FAIRLEAD_SERVER; [ \$(({} % 2)) = 0 ] || s=$other; curl -s -o /dev/null -m 20 -X POST -H '$auth' -H 'Content-Type: application/json' -d '{\"days\":1}' \$s/v1/instances/$id/extend"
  within 20 sql_is "select count(*) from events e where instance_id = '$id' and type = 'extend_requested'" 40 || return 1
  last=$(sql "select event_seq from instances where id = '$id'")
  within 20 bash -c "kcat -C -e -q -b '$FAIRLEAD_KAFKA' -t fairlead.events -f '%h\n' | grep 'ce_subject=$id' | grep -q 'ce_sequence=0*$last'" || return 1
  kcat -C -e -q -b "$FAIRLEAD_KAFKA" -t fairlead.events -f '%h\n' | grep "ce_subject=$id" | grep -o 'ce_sequence=[0-9]*' | cut -d= -f2 | sed 's/^0*//' |
    awk '!seen[$1]++ {if ($1 != ++n) {print "got " $1 ", not " n; exit 1}} END {print n " in order"}'
}
ok "two coordinators write the events of one instance in their order" in_order
finish
