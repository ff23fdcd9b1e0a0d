#!/usr/bin/env bash
# Heartbeats: a node that hears none, or lacks something, keeps all as it is, deletes nothing, and says so (P13).
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/processes.sh
. "$root/tests/support/processes.sh"
# shellcheck source=../support/instances.sh
. "$root/tests/support/instances.sh"
tag=$(($(date +%s) % 100000))
app=beat$tag
"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
ok "an app runs" "$fairlead" instance create testapp "$app" --size tiny --wait --timeout 120
on=$(node "$app")
topic=fairlead.node.$(sql "select replace(id::text, '-', '') from nodes where name = '$on'")
doubt_is() { # DOUBT ("": none)
  local got
  got=$("$fairlead" node get "$on" -o json | jq -r '.doubt // ""')
  [ "$got" = "$1" ] || { echo "its doubt is \"$got\""; return 1; }
}
restart_coordinator() { # SECONDS: between two heartbeats
  kill "$(coordinator)"
  within 30 gone "$(coordinator)"
  FAIRLEAD_HEARTBEAT=$1 start_coordinator ""
  within 20 ready
}
beats() { kcat -C -e -q -b "$FAIRLEAD_KAFKA" -t "$topic" -f '%k\n' | grep -ac 'heartbeat$'; }
more_beats() { [ "$(beats)" -gt "$1" ]; }
differs() { grep -c 'what the coordinator wants is not what is held' "$fleet/$on.log" || true; }
restart_coordinator 2
before=$(beats)
ok "a node is told every interval what it should hold" within 20 more_beats $((before + 2))
held=$(differs)
changes() { "$fairlead" instance stop "$app" --wait --timeout 60 && "$fairlead" instance start "$app" --wait --timeout 60; }
ok "... while things change" changes
after=$(beats)
within 20 more_beats $((after + 2))
ok "... and what it holds is that" bash -c "[ \$(( $(differs) - $held )) -le 2 ]"
ok "... so it has no doubt" doubt_is ""
kcat -C -e -q -b "$FAIRLEAD_KAFKA" -t "$topic" -K $'\x01SEP\x01' -D $'\x02END\x02' -o beginning >"$fleet/all" 2>/dev/null || true

# ---- frozen: documents come, and no heartbeats ----
sql "update nodes set heartbeat_at = 'infinity'" >/dev/null
ok "a node that hears none for three intervals is in doubt" within 40 doubt_is stale
ok "... the doctor says so" bash -c "'$fairlead' doctor | grep -q 'in doubt:.*stale'"
ok "... its app serves on" serves "$app"
# Whoever owns the broker repeats what was signed: all that came before.
kcat -P -b "$FAIRLEAD_KAFKA" -t "$topic" -K $'\x01SEP\x01' -D $'\x02END\x02' -l "$fleet/all"
"$fairlead" instance delete "$app" --purge >/dev/null
waits() { sql "select class || ': ' || problem from steps where instance_id = '$(id "$app")' and class = 'in_doubt'" | grep -q 'heartbeat is not heard: nothing is deleted'; }
ok "what would be deleted waits, and says why" within 40 waits
ok "... old heartbeats count for nothing" doubt_is stale
ok "... and the container is there" test -n "$(container "$app")"
sql "update nodes set heartbeat_at = null" >/dev/null
gone_now() { [ -z "$(id "$app")" ]; }
ok "with heartbeats again it is deleted by itself" within 90 gone_now
ok "... and there is no doubt" within 40 doubt_is ""

# ---- withheld: the row says more than the node was ever sent ----
app=held$tag
ok "another app runs" "$fairlead" instance create testapp "$app" --size tiny --wait --timeout 120
on=$(node "$app")
key="instance_id = '$(id "$app")' and kind = 'watch' and node_id = (select id from nodes where name = '$on' limit 1)"
watcher=$(sql "select n.name from documents d join nodes n on n.id = d.node_id where d.instance_id = '$(id "$app")' and d.kind = 'watch'")
on=$watcher key="instance_id = '$(id "$app")' and kind = 'watch'"
sql "update documents set revision = revision + 1 where $key" >/dev/null
ok "what never comes is noticed" within 60 doubt_is withheld
sql "update documents set revision = revision - 1 where $key" >/dev/null
ok "... and forgotten when all is there" within 60 doubt_is ""
"$fairlead" instance delete "$app" --purge --wait --timeout 120 >/dev/null
kill "$(coordinator)"
within 30 gone "$(coordinator)"
start_coordinator ""
within 20 ready
told() { sql_is "select count(*) from nodes where state = 'ready' and health = 'ok' and heartbeat_s <> 300" 0; }
ok "another interval is told at once: a longer one makes no doubt" within 20 told
finish
