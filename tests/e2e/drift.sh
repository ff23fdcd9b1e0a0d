#!/usr/bin/env bash
# Drift (row 33): whatever somebody else changes on a machine, in DNS or at the proxy is put right in under a minute,
# and told as an event. And truth: health is apart from the state, and a wrong "ok" does not last (P9).
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/drift.sh
. "$root/tests/support/drift.sh"
"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
count() { sql "select count(*) from events where instance_id = '$(id "$1")' and type = '$2'"; }
name() { kdig "@${FAIRLEAD_DNS%:*}" -p "${FAIRLEAD_DNS#*:}" "$(host "$1")" "$2" +short; }

# What is done to whom, one function each; then every one of a round is waited for.
begin() { # NAME FUNCTION EVENT: remembers how many of them there were
  count "$1" "$3" >"$fleet/before.$1"
  "$2" "$1"
}
told() { [ "$(count "$1" "$2")" -gt "$(cat "$fleet/before.$1")" ]; }
repaired() { within 58 told "$1" "${2:-drift_repaired}" && within 10 serves "$1" && within 15 health_is "$1" ok; }

seq 4 | xargs -P 4 -I{} "$fairlead" instance create testapp "drift{}" --size tiny --wait --timeout 120 >"$fleet/drift.out" ||
  { cat "$fleet/drift.out"; echo "0 passed, 1 failed"; exit 1; }
within 60 health_is drift1 ok

begin drift1 removed drift_repaired
begin drift2 stopped drift_repaired
begin drift3 paused drift_repaired
begin drift4 limited drift_repaired
ok "a container that was removed is made again" repaired drift1
ok "one that was stopped is started" repaired drift2
ok "one that was paused goes on" repaired drift3
ok "a limit that was changed is set back" repaired drift4
ok "... as the Engine holds it" test "$(engine inspect "$(container drift4)" --format '{{.HostConfig.Memory}}')" = $((64 * 1048576))

begin drift1 edit_compose drift_repaired
begin drift2 drop_secret drift_repaired
begin drift3 join_stranger drift_repaired
ok "a Compose file that was edited is written again" repaired drift1
ok "... byte for byte" lacks "$(cat "$fleet/$(node drift1)/stacks/$(hex drift1)/compose.yaml")" "a hand was here"
ok "a secret file that was removed is there again" repaired drift2
ok "... with what it held" test "$(wc -c <"$fleet/secrets-$(node drift2)/$(hex drift2)/web/token")" = 24
ok "a stranger in an app's network is put out" repaired drift3
ok "... and is in none of ours" test "$(engine inspect stranger-of-drift3 --format '{{len .NetworkSettings.Networks}}')" = 0
engine rm -f stranger-of-drift3 >/dev/null

begin drift1 drop_route drift_repaired
begin drift2 edit_route drift_repaired
begin drift3 open_guard drift_repaired
ok "a route file that was removed is written again" repaired drift1
ok "one that was edited is, too" repaired drift2
ok "a guard that was opened is closed" repaired drift3

begin drift1 drop_address repair_requested
begin drift2 change_address repair_requested
begin drift3 drop_marker repair_requested
edited=$(sql "select now()")
# Nor is a server block anybody's own: whichever route is looked at first writes it again.
edit_server
ok "a DNS record that was removed is written again" repaired drift1 repair_requested
ok "one that was changed is, too" repaired drift2 repair_requested
ok "... it points to the edge" test "$(name drift2 A)" = "$FAIRLEAD_EDGE_ADDRESS"
ok "a marker that was removed is there again" repaired drift3 repair_requested
ok "... with its owner" has "$(name drift3 TXT)" "owner=$(hex drift3)"
takes_image() { ! retag drift4 2>"$fleet/said" && grep -q 'used by running container' "$fleet/said"; }
ok "an image that runs is named by its id: nobody tags it anew, or takes it away" takes_image
ok "the server block of the edge that was edited is written again" within 58 sql_is "select count(*) > 0 from events where type = 'drift_repaired' and data->>'reason' like 'The server block%' and at > '$edited'" t
ok "... as it was" grep -q '^    server_name _;' "$FAIRLEAD_EDGE_DIR/conf.d/fairlead.conf"
ok "... and everything serves" within 10 serves drift4

quit=$(sql "select now()")
stop_nginx
# Whichever of its routes is looked at first starts it, and tells.
ok "nginx that was stopped is started" within 58 sql_is "select count(*) from events where type = 'drift_repaired' and data->>'reason' like 'nginx%' and at > '$quit'" 1
ok "... and serves" within 10 serves drift1

# The port of an app admits its edge only (design section 6).
address=$(sql "select address from nodes where name = '$(node drift1)'") port=$("$fairlead" instance get drift1 -o json | jq -r .port) table=$(nft_table drift1)
ok "nobody on this machine reaches the port past the edge" bash -c "! curl -s -m 2 http://$address:$port/healthz"
ok "... not even with the edge's address" bash -c "! curl -s -m 2 --interface $FAIRLEAD_EDGE_ADDRESS http://$address:$port/healthz"
direct=$(engine inspect "$(container drift1)" --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}')
ok "... and a local user not the container itself" bash -c "! setpriv --reuid nobody --clear-groups curl -s -m 2 http://$direct:8080/healthz"
ok "... nor does another app's container" bash -c "! docker -H unix://$FAIRLEAD_DOCKER exec '$(container drift2)' timeout 3 bash -c 'exec 3<>/dev/tcp/$direct/8080' 2>/dev/null"

# A cut of the link between edge and host is told apart from a dead app.
nft -f - <<NFT
table ip fairlead_cut {
  chain out { type filter hook output priority mangle - 1; ip daddr $address tcp dport $port drop; }
}
NFT
ok "a link that is cut is called failing in under a minute" within 60 health_is drift1 failing
ok "... and named as the reason" within 5 bash -c "'$fairlead' instance events drift1 -o json | jq -se 'map(select(.type == \"health_changed\")) | last | .data.reason | test(\"link between them is cut\")'"
nft delete table ip fairlead_cut
ok "whole again, it is ok" within 60 health_is drift1 ok

# Truth: an app that hangs is not "ok" for a minute; its state stays what its owner wanted.
hang drift1
ok "an app whose data store is gone is called failing in under a minute (P9)" within 60 health_is drift1 failing
ok "... with the reason" bash -c "'$fairlead' instance events drift1 -o json | jq -se 'map(select(.type == \"health_changed\")) | last | .data.reason | length > 0'"
ok "... and it is still wanted running" state_is drift1 running
engine exec "$(container drift1)" bash -c 'echo seed >/store/value'
ok "mended, it is ok again" within 60 health_is drift1 ok

# Documents without a walk: a host that has another address is told, and so is whoever names it.
moved=slave app=$(sql "select i.name from instances i join nodes n on n.id = i.node_id where n.name = 'slave' and i.state = 'running' and i.name like 'drift%' limit 1")
generation=$(sql "select accepted from instances where id = '$(id "$app")'")
ports() { engine inspect "$(container "$app")" --format '{{range .NetworkSettings.Ports}}{{range .}}{{.HostIp}} {{end}}{{end}}'; }
listens() { [ "$(ports)" = "$1 " ]; }
was=$(sql "select address from nodes where name = '$moved'")
ok "a node has another address" "$fairlead" node address "$moved" 127.0.0.77
ok "its app listens there" within 30 listens 127.0.0.77
ok "... is served from there" within 20 serves "$app"
ok "... by a new revision and no request" within 20 sql_is "select i.accepted = $generation and bool_and(d.revision > 1 and d.observed = d.revision) from instances i join documents d on d.instance_id = i.id where i.id = '$(id "$app")' group by i.accepted" t
ok "an address that is none is refused" bash -c "! '$fairlead' node address '$moved' 127.0.0.777"
ok "... and so is a node that nobody knows" bash -c "! '$fairlead' node address nobody 127.0.0.77"
ok "the same address twice tells nobody" bash -c "'$fairlead' node address '$moved' 127.0.0.77 -o json | jq -e '.instances == 0'"
"$fairlead" node address "$moved" "$was" >/dev/null
ok "moved back, it listens where it did" within 30 listens "$was"
ok "... and is ok" within 60 health_is "$app" ok

# A Compose file that nobody can read holds up no delete.
printf '{' >"$fleet/$(node drift4)/stacks/$(hex drift4)/compose.yaml"
for i in 1 2 3 4; do "$fairlead" instance delete "drift$i" --purge >/dev/null; done
for i in 1 2 3 4; do ok "drift$i is gone" within 60 sql_is "select count(*) from instances where name = 'drift$i' and state <> 'deleted'" 0; done
ok "no guard is left for them" bash -c "! nft -n list table ip $table | grep -qF '. $address . $port'"
finish
