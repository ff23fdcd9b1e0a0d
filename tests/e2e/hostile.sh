#!/usr/bin/env bash
# A broker that is somebody else's: it repeats, turns round, cuts, bends, forges, renames and moves whatever it ever carried. Nothing
# comes of it (P13, P14): no container, file, rule, name or row is another one afterwards.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/instances.sh
. "$root/tests/support/instances.sh"
tag=$(($(date +%s) % 100000))
app=host$tag gone=left$tag mark=mark$tag
hostile() { "$BUILD/tests/support/hostile" "$@"; }
"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
ok "an app runs" "$fairlead" instance create testapp "$app" --size tiny --wait --timeout 120
ok "... and has had a life" bash -c "'$fairlead' instance stop '$app' --wait --timeout 60 && '$fairlead' instance start '$app' --wait --timeout 60"
ok "another was there, and is deleted" bash -c "'$fairlead' instance create testapp '$gone' --size tiny --wait --timeout 120 && '$fairlead' instance delete '$gone' --purge --wait --timeout 120"
on=$(node "$app")
node_id=$(sql "select replace(id::text, '-', '') from nodes where name = '$on'")
other_id=$(sql "select replace(id::text, '-', '') from nodes where name in ('server', 'slave') and name <> '$on'")
topic=fairlead.node.$node_id

# What there is: containers since when, what is held, the guard's rules, names, routes, and what the rows say.
standing() {
  engine ps -a --no-trunc --filter label=fairlead.instance --format '{{.ID}} {{.Names}} {{.CreatedAt}}' | sort
  engine ps -q --filter "label=fairlead.instance=$(hex "$app")" | xargs -r docker -H "unix://$FAIRLEAD_DOCKER" inspect -f '{{.State.StartedAt}}'
  (cd "$fleet" && sha256sum {server,slave}/documents/*.accepted) | sort
  nft -s list ruleset 2>/dev/null | grep -A400 'table ip fairlead_' | grep -v '"br-' || true # bridges come and go with the mark
  kdig +tcp +noall +answer @"${FAIRLEAD_DNS%:*}" -p "${FAIRLEAD_DNS#*:}" -y "$(cat "$FAIRLEAD_DNS_KEY_FILE")" "$FAIRLEAD_ZONE" AXFR | grep -v SOA | sort
  find "$run/edge/conf.d" "$run/edge/map.d" -type f -exec sha256sum {} + | sort
  sql "select id, state, accepted, running, health from instances order by id"
  sql "select instance_id, kind, letter, revision, condition, observed from documents order by 1, 2, 3"
}
# Whatever was written before this has been read when this is carried out: it comes behind it on the same topics.
n=0
read_on() {
  n=$((n + 1))
  "$fairlead" instance stop "$mark" --wait --timeout 60 && "$fairlead" instance start "$mark" --wait --timeout 60
}
keeps_out() { # of what stands: the mark's own
  local id
  id=$(id "$mark")
  grep -v -e "$id" -e "${id//-/}" -e "$mark"
}
"$fairlead" instance create testapp "$mark" --size tiny --wait --timeout 120 >/dev/null
read_on >/dev/null
standing | keeps_out >"$fleet/stands.before"
unchanged() {
  read_on >/dev/null || return 1
  standing | keeps_out >"$fleet/stands.after"
  diff "$fleet/stands.before" "$fleet/stands.after"
}
refused() { grep -c 'a record was refused\|a record could not be kept' "$fleet/$on.log" || true; }

had=$(refused)
for what in repeat reverse cut bend forge retype tombstone; do
  ok "documents: $what" hostile "$topic" 1 "$what"
  ok "... nothing comes of it" unchanged
done
ok "what was bent and forged was refused, with a word" test "$(refused)" -gt "$had"
ok "documents of one node among another's" hostile "$topic" 1 move "fairlead.node.$other_id"
ok "... nothing comes of it" unchanged
for kind in dns probe resolve; do
  case $kind in dns | resolve) partitions=8 ;; *) partitions=16 ;; esac
  for what in repeat reverse bend forge; do ok "orders of $kind: $what" hostile fairlead.orders.$kind $partitions "$what"; done
  ok "... nothing comes of it" unchanged
done
ok "orders among documents" hostile fairlead.orders.dns 8 move "$topic"
ok "documents among orders" hostile "$topic" 1 move fairlead.orders.dns
ok "... nothing comes of it" unchanged
for what in repeat reverse bend forge; do ok "reports: $what" hostile fairlead.reports 16 "$what"; done
ok "... nothing comes of it" unchanged
ok "no node is in doubt about what it holds" within 60 sql_is "select count(*) from nodes where doubt is not null and name in ('server', 'slave')" 0
ok "the app serves" serves "$app"
ok "what is asked for is still done" "$fairlead" instance delete "$app" --purge --wait --timeout 120
"$fairlead" instance delete "$mark" --purge --wait --timeout 120 >/dev/null
sql "delete from dead_letters" >/dev/null
finish
