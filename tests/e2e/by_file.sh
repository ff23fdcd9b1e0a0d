#!/usr/bin/env bash
# A machine without any link: it joins, is told and is heard by files that somebody carries, and what it is brought is judged as if it had come
# over a link. Only where this machine has an address that others reach (acceptance 40; P10, P13, P19).
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/customer.sh
. "$root/tests/support/customer.sh"
tag=$(($(date +%s) % 100000))
mine=mine$tag plane=pit$tag node=shaft$tag app=lamp$tag
explain() { tail -n 6 "$fleet/agent.log" 2>/dev/null; "$fairlead" instance list --all 2>/dev/null | tail -3; }
carried=$fleet/carried
rm -rf "$carried" && mkdir -p "$carried"

ok "a customer's machine is there, with an Engine and an nginx of its own" town_up
town_env
FAIRLEAD_NODES_DNS='' # of the agent: it asks nobody for a name
inside nft -f - <<EOF
table inet alone {
  counter tried { }
  chain output { type filter hook output priority filter; policy accept; oifname "eth0" ct state new counter name tried reject; }
}
EOF
ok "nothing leads out of it" bash -c "! '$machine' run town curl -sk -m 3 -o /dev/null 'https://$FAIRLEAD_GATE/v1/authority'"
inside nft reset counter inet alone tried >/dev/null

# ---- joining ----
"$fairlead" plan create m$tag --modes shared,private >/dev/null
"$fairlead" customer create "$mine" --plan m$tag >/dev/null
"$fairlead" tenant create "$mine/office" >/dev/null
export FAIRLEAD_TENANT=$mine/office
refused() { local word=$1; shift; ! "$@" >"$fleet/said" 2>&1 && grep -- "$word" "$fleet/said" >/dev/null; } # WORD COMMAND...
ok "planes of the provider are online" refused 'private' "$fairlead" plane create x$tag --link file --domain "$FAIRLEAD_ZONE" --recovery-key "$fleet/x.key"
ok "a plane that is told by files" "$fairlead" plane create "$plane" --mode private --link file --customer "$mine" --domain "$FAIRLEAD_ZONE" --public-port "$town_HTTP_PORT"
"$fairlead" size create "$plane/tiny" --cpu 100 --memory 64 --disk 100 >/dev/null
"$fairlead" node create "$node" --plane "$plane" --roles host,edge,prober --address $here --cpu 4000 --memory 4096 >/dev/null
token=$("$fairlead" node invite "$node")
ok "its invitation is good for two weeks" sql_is "select expires_at between now() + interval '13 days' and now() + interval '14 days' from tokens t join nodes n on n.id = t.node_id where n.name = '$node'" t
ok "... of a node with a link for an hour" bash -c "'$fairlead' node invite server -o json | jq -e '.valid_s == 3600'"
ok "what is to be asked is written to a file" agent enrol ask "$token" "$carried/request"
ok "... which the provider takes" "$fairlead" node enrol "$carried/request" "$carried/answer"
ok "... once more, where what it answered was lost" "$fairlead" node enrol "$carried/request" "$carried/again"
ok "... with the same answer" cmp "$carried/answer" "$carried/again"
jq '.authority.root = .authority.root + "\n"' "$carried/answer" >"$carried/other"
ok "an answer whose authority is not signed is refused" refused 'not the coordinator' agent enrol "$token" "$carried/other"
for change in '.welcome.recovery_key = ("0" * 64)' '.welcome.node = ("1" * 32)' '.welcome.link = null' 'del(.welcome.proof)'; do
  jq "$change" "$carried/answer" >"$carried/other"
  ok "... as is one that was changed: $change" refused 'not as the coordinator gave it' agent enrol "$token" "$carried/other"
done
ok "... and one to another's question" refused 'nothing was asked here with this token' agent enrol "$("$fairlead" node invite server)" "$carried/answer"
echo '{}' >"$carried/other"
ok "... and a file that is none" refused 'names no authority' agent enrol "$token" "$carried/other"
ok "it joins by what came back" agent enrol "$token" "$carried/answer"
ready() { sql_is "select state from nodes where name = '$node'" ready; }
ok "the provider knows it" within 30 ready
ok "its plane is active" within 20 bash -c "'$fairlead' plane get '$plane' -o json | jq -e '.phase == \"active\" and .link == \"file\"'"
ok "who has a link is told by it" refused 'has a link' "$fairlead" node bundle server "$carried/x.tar"

# ---- there and back ----
bundle() { "$fairlead" node bundle "$node" "$@" >/dev/null; }
told() { bundle "$carried/$1.tar" "${@:2}" && agent import "$carried/$1.tar"; }
said() { agent export "$carried/said" >/dev/null && "$fairlead" node reports "$carried/said"; }
asked() { sql_is "select count(*) from documents d join instances i on i.id = d.instance_id where i.name = '$1' and d.kind = '$2' and ${3:-true}" 1; } # NAME KIND [WHICH]
name() { "$fairlead" instance get "$1" -o json | jq -r .host; }
code() { inside curl -s -m 5 -o /dev/null -w '%{http_code}' --connect-to "::$here:" "http://$(name "$1"):$town_HTTP_PORT/healthz" || true; }
comes_to() { said >/dev/null && state_is "$app" "$1"; } # STATE: by what is carried back until then
code_is() { [ "$(code "$1")" = "$2" ]; }
bundle "$carried/empty.tar"
"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
ok "an app is asked for" "$fairlead" instance create testapp "$app" --plane "$plane" --size tiny
finished() { "$fairlead" node bundle "$node" "$carried/x.tar" --no-images -o json | jq -e ".unfinished == $1" >/dev/null; }
ok "... of which a bundle says that more will come" finished 1
ok "... and all that its machine must know of it is ready at once" within 120 asked "$app" watch
ok "... and says that no more will" finished 0
ok "... nobody's silence will end it" sql_is "select count(*) from steps s join instances i on i.id = s.instance_id where i.name = '$app' and s.state = 'open' and s.next_at is not null" 0
ok "without its images" told bare --no-images
start_agent
waits() { agent status | grep 'stack .*comes by file' >/dev/null; }
ok "... it says that they come by file" within 60 waits
ok "with them" told first
ok "... it runs there" within 90 code_is "$app" 200
ok "the provider does not know yet" state_is "$app" new
ok "what the machine has to say is carried back" said
ok "... and it does" within 60 comes_to running
ok "... by one journey there and one back" sql_is "select max(revision) from documents d join instances i on i.id = d.instance_id where i.name = '$app' and d.kind in ('stack', 'route')" 1
events() { sql "select count(*) from events where instance_id = '$(id "$app")'"; }
told=$(events)
ok "the same words once more" "$fairlead" node reports "$carried/said"
ok "... and those of today" said
drained() { sql_is 'select count(*) from outbox' 0 && sql_is "select said_stream is not null and seen_at > now() - interval '1 minute' from nodes where name = '$node'" t; }
ok "... are read" within 20 drained
ok "... and say nothing new" test "$(events)" = "$told"
jq '.name = "../clock/accept#"' "$carried/said" >"$carried/bent"
ok "a name that leads elsewhere is none" refused 'no file of' "$fairlead" node reports "$carried/bent"
"$fairlead" node bundle "$node" "$carried/second.tar" -o json >"$fleet/made"
ok "images that it has said to run are not carried again" jq -e '.images == 0' "$fleet/made"
ok "... unless somebody wants them" bash -c "'$fairlead' node bundle '$node' '$carried/all.tar' --all -o json | jq -e '.images == 1'"
sql "update nodes set seen_at = now() - interval '1 hour' where name = '$node'" >/dev/null
marked=$(sql "select max(heartbeat_n) from nodes where name = 'server'")
beaten() { sql_is "select heartbeat_n > $marked from nodes where name = 'server'" t; }
sql "update nodes set heartbeat_at = null where name = 'server'" >/dev/null
ok "however long nobody comes" within 30 beaten
ok "... its apps are as it said" health_is "$app" ok
ok "... and new ones may be placed there" sql_is "select health from nodes where name = '$node'" ok

# ---- somebody who carries other things ----
jq '.reports[0] |= (.[0:400] + (if .[400:401] == "A" then "B" else "A" end) + .[401:])' "$carried/said" >"$carried/bent"
ok "words that were changed on the way are refused" refused 'no reports that this node has signed' "$fairlead" node reports "$carried/bent"
jq '.name = "server"' "$carried/said" >"$carried/bent"
ok "... or are another's" refused 'has a link' "$fairlead" node reports "$carried/bent"
records() { tar -xOf "$carried/$1.tar" records.json; }
as_bundle() { mkdir -p "$carried/t" && cat >"$carried/t/records.json" && tar -C "$carried/t" -cf "$carried/$1.tar" records.json; }
records first | jq '.node = "00000000000000000000000000000001"' | as_bundle bent
ok "a bundle for another machine is told from ours" refused 'for another node' agent import "$carried/bent.tar"
echo '{"node": 1}' | as_bundle bent
ok "what is none, too" refused 'no bundle' agent import "$carried/bent.tar"
containers() { on_engine ps -q --no-trunc --filter label=fairlead.instance | sort; }
before=$(containers)
refusals() { grep -c 'a record was refused' "$fleet/agent.log" || true; }
empty() { [ -z "$(ls "$state/arrived")" ]; }
was=$(refusals)
records first | jq '.records[].value |= (.[0:100] + (if .[100:101] == "A" then "B" else "A" end) + .[101:])' | as_bundle bent
ok "one whose records were changed is taken" agent import "$carried/bent.tar"
all_refused() { empty && [ "$(refusals)" -gt "$was" ]; } # those of one second are one line of the log
ok "... and what is in it refused" within 20 all_refused
ok "... and nothing runs otherwise" test "$(containers)" = "$before"

# ---- the rest of a life ----
"$fairlead" instance stop "$app" >/dev/null
bundle "$carried/stop.tar"
records stop | jq '.records |= map(select(.key | length < 40))' | as_bundle part
doubt_is() { agent export "$carried/said" >/dev/null && "$fairlead" node reports "$carried/said" >/dev/null && [ "$("$fairlead" node get "$node" -o json | jq -r .doubt)" = "$1" ]; }
ok "a bundle from which documents were taken" agent import "$carried/part.tar"
ok "... is noticed" within 40 doubt_is withheld
ok "... and stops nothing" code_is "$app" 200
ok "the whole one" agent import "$carried/stop.tar"
ok "... stops it" within 60 code_is "$app" 503
ok "... and ends the doubt" within 40 doubt_is null
ok "... which is known by what is carried back" within 60 comes_to stopped
ok "an older bundle" agent import "$carried/first.tar"
ok "... is read" within 20 empty
ok "... and starts nothing: it is older" code_is "$app" 503
stop_agent
FAIRLEAD_FAULT=bundle.read:kill start_agent
up() { [ -n "$(agent_pid)" ]; }
within 20 up
"$fairlead" instance start "$app" >/dev/null
started() { asked "$app" stack 'not d.absent and d.observed < d.revision'; }
ok "it is to run again" within 60 started
within 30 finished 0
told start
dead() { [ -z "$(agent_pid)" ]; }
ok "a machine that dies over a bundle" within 30 dead
start_agent
ok "... reads it again" within 60 code_is "$app" 200
ok "... and says so" within 60 comes_to running

# ---- a new disk, and somebody who has kept an old bundle ----
stop_agent
rm -rf "$state"
token=$("$fairlead" node invite "$node")
agent enrol ask "$token" "$carried/request" >/dev/null && "$fairlead" node enrol "$carried/request" "$carried/answer" >/dev/null
ok "a machine with a new disk joins again" agent enrol "$token" "$carried/answer"
within 30 ready
start_agent
ok "brought an old bundle" agent import "$carried/stop.tar"
ok "... it reads it" within 20 empty
knows_nothing() { [ ! -e "$state/opened" ]; }
told_so() { grep 'nothing is begun yet' "$fleet/agent.log" >/dev/null; }
ok "... and says that it is from before it joined" within 20 told_so
stop_agent && start_agent
within 20 up
beats_on() { [ "$(stat -c %Y "$state/spool/presence")" -ge "$restarted" ]; }
restarted=$(date +%s)
ok "... another start changes nothing of that" within 70 beats_on
ok "... nothing of it is done" knows_nothing
ok "with one of today" told today --all
acts() { [ -e "$state/opened" ]; }
ok "... it goes on" within 30 acts
ok "the app is deleted" "$fairlead" instance delete "$app" --purge
gone_there() { asked "$app" stack 'd.absent'; }
ok "... when its name has been off for a while" within 120 gone_there
bundle "$carried/last.tar"
records last | jq '.records |= map(select((.key | @base64d | endswith("route")) | not))' | as_bundle part
ok "a bundle from which the half of that was taken" agent import "$carried/part.tar"
ok "... is read" within 20 empty
doubts() { agent status | grep '^doubt' >/dev/null; }
ok "... and its customer told" within 20 doubts
refused_so() { grep -E "	stack	.*not yet: .*(withheld|lacks|all of)" "$state/log" >/dev/null || agent status | grep -E '^stack .*not yet' >/dev/null; }
ok "... and takes nothing away" within 30 refused_so
stop_agent && start_agent
within 20 up
ok "... nor after a restart" within 30 doubts
ok "... the app is still there" bash -c "docker -H 'unix://$town_DOCKER' ps -aq --filter label=fairlead.instance | grep -q ."
ok "the whole of it" agent import "$carried/last.tar"
nothing_runs() { [ -z "$(on_engine ps -aq --filter label=fairlead.instance)" ]; }
ok "... takes it away" within 90 nothing_runs
ok "... and that is known" within 60 comes_to deleted
ok "the agent has not tried to get out, all that time" test "$(inside nft -j list counter inet alone tried | jq '.nftables[1].counter.packets')" = 0
ok "nothing that was carried was beyond use" sql_is "select count(*) from dead_letters where node_id = (select id from nodes where name = '$node')" 0
"$fairlead" node revoke "$node" >/dev/null
ok "who was revoked gets no bundle" refused 'was revoked' "$fairlead" node bundle "$node" "$carried/x.tar"
stop_agent || true
"$machine" down town
finish
