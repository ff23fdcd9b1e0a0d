#!/usr/bin/env bash
# What lives and dies leaves nothing that grows. A hundred lives, of a small app and of one without a machine, then
# the times pass for which things are kept: no table, folder of a node or zone holds more than before, but for what is kept for ever by design
# (docs/OPERATING.md): events and the rows that they hang on, documents, and what a node remembers to refuse.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
lives=20 quick=80 side_by_side=20
tag=$(($(date +%s) % 100000))
coordinator=$BUILD/fairlead-coordinator
life() { # NAME APP [OPTION...]
  "$fairlead" instance create "$2" "$1" "${@:3}" --wait --timeout 180 >/dev/null &&
    "$fairlead" instance delete "$1" --purge --wait --timeout 180 >/dev/null
}
run_lives() { # FIRST LAST APP [OPTION...]: some of them side by side
  local i at failed=0 pids
  for ((i = $1; i <= $2; i += side_by_side)); do
    pids=()
    for ((at = i; at < i + side_by_side && at <= $2; at++)); do
      life "g$tag-$at" "${@:3}" &
      pids+=($!)
    done
    for at in "${pids[@]}"; do wait "$at" || failed=$((failed + 1)); done
  done
  [ "$failed" = 0 ] || { echo "$failed did not end well"; return 1; }
}
# As if so many days had passed: what is kept for a time goes.
sweep() { FAIRLEAD_KEEP_DAYS=0 "$coordinator" sweep --database "$FAIRLEAD_DATABASE_URL" >/dev/null; }
names_forgotten() { sweep && sql_is "select count(*) from names where free_at is not null" 0; }
settle() {
  sql "update names set free_at = to_timestamp(0) where free_at is not null" >/dev/null
  within 60 names_forgotten && sweep
}
# Each commit of a Compose file leaves loose objects, which git packs from some hundred on: the history is kept.
packed() { [ "$(find "$fleet/$1/configuration/.git/objects" -path '*/objects/??/*' -type f | wc -l)" -lt 600 ]; }
marker() { kdig +short +tcp @"${FAIRLEAD_DNS%:*}" -p "${FAIRLEAD_DNS#*:}" "g$tag-$1-main-e2e.$FAIRLEAD_ZONE" TXT; }
# NAME COUNT lines: the rows of every table, what lies on every node.
measure() {
  local table node
  for table in $(sql "select tablename from pg_tables where schemaname = 'public' order by 1"); do
    echo "table:$table $(sql "select count(*) from $table")"
  done
  for node in server slave; do
    echo "files:$node $(find "$fleet/$node" -type f ! -path '*/documents/*' ! -path '*/.git/objects/*' | wc -l)"
    echo "folders:$node $(find "$fleet/$node" -type d ! -path '*/.git/objects/*' | wc -l)"
    echo "remembered:$node $(find "$fleet/$node/documents" -type f | wc -l)"
  done
  echo "engine:containers $(engine ps -aq | wc -l)"
  echo "engine:volumes $(engine volume ls -q | wc -l)"
  echo "engine:networks $(engine network ls -q | wc -l)"
  echo "secrets $(find "$fleet"/secrets-* -type f | wc -l)"
}
for_ever='^(table:(events|instances|sets|intents|documents|secrets|requests|audit|audit_heads) |remembered:)'
grown() { # prints what is more than before, but for what is kept for ever
  join <(sort "$fleet/before") <(sort "$fleet/after") | grep -vE "$for_ever" | awk '$3 > $2 { print $1 ": " $2 ", now " $3 }'
}
ok "a first life, so that what stands once stands" run_lives 1 2 testapp --size tiny
ok "... whose name carries its marker, though it is gone" has "$(marker 1)" "fairlead owner="
# An heir that never comes to a machine writes nothing; the marker that it was to replace must go all the same.
heir() {
  "$fairlead" size create "main/vast$tag" --cpu 100 --memory 16000000 --disk 10 >/dev/null
  "$fairlead" instance create testapp "g$tag-1" --size "vast$tag" >/dev/null &&
    within 20 sql_is "select count(*) from steps s join instances i on i.id = s.instance_id where i.name = 'g$tag-1' and s.step = 'place' and s.class = 'no_room'" 1 &&
    "$fairlead" instance delete "g$tag-1" --purge --wait --timeout 60
}
ok "... nor does an heir that never came to a machine take it away" heir
ok "... until nobody could claim it any more" settle
ok "... then nothing of it is in the zone" test -z "$(marker 1)"
ok "... and the name is anybody's" life "g$tag-1" testapp --size tiny
measure >"$fleet/before"
ok "$lives lives" run_lives 3 $((lives + 2)) testapp --size tiny
ok "... and $quick without a machine" run_lives 1001 $((quick + 1000)) noop
ok "their names are forgotten, too" settle
ok "... also by the zone" test -z "$(for n in $(seq 3 $((lives + 2))); do marker "$n"; done)"
measure >"$fleet/after"
ok "nothing has grown but what is kept for ever" test -z "$(grown | tee -a /dev/stderr)"
for n in server slave; do ok "the history of Compose files is packed ($n)" packed "$n"; done
finish
