#!/usr/bin/env bash
# A private plane: an agent in a customer's own network, into which nothing comes. It pulls, runs an app that answers there
# only, proves it by itself, tells no secret, and does nothing that its customer does not allow. Only where this machine has an
# address that others reach (tests/e2e/run gives the second hand one) (acceptance 5, 24, 40; P12, P18, P19).
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/customer.sh
. "$root/tests/support/customer.sh"
# shellcheck source=../support/canary.sh
. "$root/tests/support/canary.sh"
tag=$(($(date +%s) % 100000))
town=town$tag plane=hall$tag node=cellar$tag app=site$tag
explain() { tail -n 6 "$fleet/agent.log" 2>/dev/null; }

ok "a customer's machine is there, with an Engine and an nginx of its own, and nothing comes in" town_up
town_env

# ---- the provider's side ----
"$fairlead" plan create p$tag --modes shared,private >/dev/null
"$fairlead" customer create "$town" --plan p$tag >/dev/null
"$fairlead" tenant create "$town/office" >/dev/null
export FAIRLEAD_TENANT=$town/office
ok "a private plane is somebody's" bash -c "! '$fairlead' plane create x$tag --mode private --domain '$FAIRLEAD_ZONE' 2>'$fleet/said' && grep -q 'customer' '$fleet/said'"
ok "... and needs no recovery key of the provider's" "$fairlead" plane create "$plane" --mode private --customer "$town" --domain "$FAIRLEAD_ZONE" --public-port "$town_HTTP_PORT"
"$fairlead" size create "$plane/tiny" --cpu 100 --memory 64 --disk 100 >/dev/null
ok "no node of it builds, or writes names" bash -c "! '$fairlead' node create '$node' --plane '$plane' --roles builder,host --address $here 2>'$fleet/said' && grep -q 'no other roles' '$fleet/said'"
"$fairlead" node create "$node" --plane "$plane" --roles host,edge,prober --address $here --cpu 4000 --memory 4096 >/dev/null
token=$("$fairlead" node invite "$node")
phase_is() { [ "$("$fairlead" plane get "$plane" -o json | jq -r .phase)" = "$1" ]; }
ok "a plane without a node is pending" phase_is pending
ok "it joins, by one command" agent enrol "$token"
ok "... which says where the recovery key is" has "$(cat "$fleet/test.out")" "$dir/recovery.keys"
worker_refuses() { inside env FAIRLEAD_STATE="$state" "$BUILD/fairlead-worker" run >"$fleet/said" 2>&1 || grep -q 'fairlead-agent is for it' "$fleet/said"; }
ok "... and a worker does not run as what has joined" worker_refuses
recovery_is() { [ "$("$fairlead" plane get "$plane" -o json | jq -r .recovery_key)" != null ]; }
ok "... of which the provider has the public half" recovery_is
start_agent
ok "it is heard" within 30 heard "$node"
ok "its plane is active" within 20 phase_is active
tenant_id() { sql "select replace(t.id::text, '-', '') from tenants t join customers c on c.id = t.customer_id where c.name = '$town' and t.name = '$1'"; }
office=$(tenant_id office)

# ---- the same calls as anywhere ----
"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
inside "$BUILD/tests/support/sniff" eth0 "$fleet/wire" >/dev/null 2>&1 </dev/null & # of its cable, from now on
sniffer=$!
disown
ok "an app is asked for" "$fairlead" instance create testapp "$app" --plane "$plane" --size tiny --wait --timeout 240
ok "... and runs there" test "$(node "$app")" = "$node"
name() { "$fairlead" instance get "$1" -o json | jq -r .host; }
there() { on_engine ps -q --filter "label=fairlead.instance=$(hex "$1")" | grep -q .; }
ok "... in the customer's Engine" there "$app"
answers_inside() { inside curl -sf -m 5 -o /dev/null --connect-to "::$here:" "http://$(name "$1"):$town_HTTP_PORT/healthz"; }
ok "it answers in that network, on its name" answers_inside "$app"
ok "... which leads to a private address" test "$(kdig @127.0.0.1 -p "${FAIRLEAD_DNS#*:}" +short "$(name "$app")" A)" = $here
ok "nothing has tried to come in until now" test "$(tried)" = 0
ok "... and what tries does not" bash -c "! curl -s -m 2 -o /dev/null --connect-to '::$here:' 'http://$(name "$app"):$town_HTTP_PORT/'"
ok "... and is counted" test "$(tried)" -gt 0
listens() { inside ss -Hltnup | grep -c fairlead-agent || true; }
ok "the agent listens on nothing" test "$(listens)" = 0
ok "... where it can be seen who listens" bash -c "'$machine' run town ss -Hltnup | grep -q nginx"
ok "it was proved by the agent itself: no order was given for it" sql_is "select count(*) from steps s join instances i on i.id = s.instance_id where i.name = '$app' and s.act = 'verify' and s.order_id is not null" 0

# ---- topics, and what its certificate may ----
as_agent() { inside kcat -F <(printf 'security.protocol=ssl\nssl.ca.location=%s\nssl.certificate.location=%s\nssl.key.location=%s\n' "$state/authority.pem" "$state/node.pem" "$state/node.pem") -b "$FAIRLEAD_KAFKA_NODES" "$@"; }
reads() { as_agent -C -t "$1" -o beginning -e -q -m 5 -c 1 -f '%o\n' 2>/dev/null | grep -q .; }
reads_not() { ! reads "$1" && { as_agent -C -t "$1" -o beginning -e -m 5 -c 1 >"$fleet/read" 2>&1 || true; } && grep -qi 'authorization failed' "$fleet/read"; }
ok "its documents are on its tenant's topic" reads "fairlead.tenant.$office"
ok "... and its heartbeats on its plane's" reads "fairlead.plane.$(sql "select replace(id::text, '-', '') from planes where name = '$plane'")"
for topic in fairlead.orders.build fairlead.orders.noop fairlead.events fairlead.reports "fairlead.node.$(sql "select replace(id::text, '-', '') from nodes where name = 'server'")"; do
  ok "it does not read $topic" reads_not "$topic"
done

# ---- secrets stay ----
ok "the provider is given no password" test "$("$fairlead" instance credentials "$app" -o json | jq length)" = 0
ok "... and says where it is" has "$("$fairlead" instance credentials "$app")" 'fairlead-agent show-secrets'
secret=$(agent show-secrets "$app" | cut -f4)
ok "... the machine shows it" test ${#secret} -ge 20
ok "... and it is what the app has" bash -c "docker -H 'unix://$town_DOCKER' exec \$(docker -H 'unix://$town_DOCKER' ps -q --filter label=fairlead.instance=$(hex "$app")) cat /run/secrets/token | grep -qx '$secret'"

kill "$(pgrep -P "$sniffer" -f tests/support/sniff || echo "$sniffer")" 2>/dev/null || true
in_wire() { cat "$fleet/wire"; }
while read -r place there; do
  ok "where it is looked for there is something: $place" holds "$place" "$there"
  ok "... and not that password" holds_not "$place" "$secret"
done <<EOF
database $app
wal $app
pages pg_stat_activity
kafka $app
segments $app
redis $(sql "select replace(id::text, '-', '') from nodes where name = '$node'")
logs $app
state $app
engine $app
processes fairlead-agent
wire http/1.1
EOF
ok "nobody has left a core" test -z "$(cores)"

# ---- what its customer allows ----
stops() { "$fairlead" instance stop "$app" --wait --timeout 60; }
starts() { "$fairlead" instance start "$app" --wait --timeout 90; }
ok "it is stopped" stops
ok "... and says so inside" bash -c "[ \"\$('$machine' run town curl -s -m 5 -o /dev/null -w '%{http_code}' --connect-to '::$here:' 'http://$(name "$app"):$town_HTTP_PORT/')\" = 503 ]"
agent pause >/dev/null
"$fairlead" instance start "$app" >/dev/null
waits_paused() { agent status | grep -q 'stack .*not yet: .*paused it'; }
ok "while it is paused nothing new is done" within 30 waits_paused
ok "... and the provider knows why" within 30 bash -c "'$fairlead' instance get '$app' -o json | grep -q 'has paused it' || '$fairlead' instance events '$app' -o json | grep -q 'has paused it' || curl -s -H 'Authorization: Bearer $(cat "$fleet/token")' $FAIRLEAD_SERVER/v1/instances/$(id "$app")/steps | grep -q 'has paused it'"
agent resume >/dev/null
ok "... afterwards it is" within 120 state_is "$app" running
# What is refused or waits leaves alone what runs, also where that dies.
agent pause >/dev/null
"$fairlead" instance extend "$app" --days 1 >/dev/null
ok "a revision that waits" within 60 waits_paused
on_engine kill "$(on_engine ps -q --filter "label=fairlead.instance=$(hex "$app")")" >/dev/null
ok "... lets nobody forget the one before it: a container that dies is started again" within 90 answers_inside "$app"
agent resume >/dev/null
settled() { sql_is "select bool_and(observed = revision) from documents where instance_id = '$(id "$app")'" t; }
ok "... and it is done afterwards" within 60 settled
cat >"$policy" <<EOF
apps: [testapp]
memory_mb: 64
instances: 2
deletion: false
EOF
ok "a policy can be read" agent policy
"$fairlead" size create "$plane/large" --cpu 100 --memory 256 --disk 100 >/dev/null
"$fairlead" instance create testapp big$tag --plane "$plane" --size large >/dev/null
ok "what it does not allow is refused, in words" within 120 state_is big$tag failed
ok "... that the provider sees" bash -c "'$fairlead' instance get big$tag -o json | grep -q '256 MB of memory, and 64 are allowed here'"
ok "... and the customer" bash -c "[ -n \"\$(cat '$state/log' | grep 'refused: It is to have 256 MB')\" ]"
echo 'instances: 1' >"$policy"
"$fairlead" instance create testapp more$tag --plane "$plane" --size tiny >/dev/null
ok "one app more than are allowed is refused" within 120 state_is more$tag failed
ok "... in words" bash -c "'$fairlead' instance get more$tag -o json | grep -q 'and no more are allowed'"
ok "... and goes" "$fairlead" instance delete more$tag --purge --wait --timeout 120
echo 'sources: [other/]' >"$policy"
"$fairlead" instance create testapp from$tag --plane "$plane" --size tiny >/dev/null
ok "an app made from sources that are not allowed is refused" within 120 state_is from$tag failed
ok "... in words, by its provenance" bash -c "'$fairlead' instance get from$tag -o json | grep -q 'Images of .*testapp.* are not allowed here'"
ok "... and goes" "$fairlead" instance delete from$tag --purge --wait --timeout 120
echo 'memory: 64' >"$policy"
told() { ! agent policy 2>"$fleet/said" && grep -q 'memory: is not known here' "$fleet/said"; }
ok "one with a word that is none is told" told
printf 'apps: [testapp]\ndeletion: false\n' >"$policy"

# ---- a second signature, of the customer's own key ----
signer=$("$fairlead" sign --make-key "$fleet/customer.key")
printf 'signer: "%s"\nsources: [testapp]\n' "$signer" >"$policy"
"$fairlead" instance create testapp signed$tag --plane "$plane" --size tiny --set title=One >/dev/null
waits_unsigned() { agent unsigned | grep -q "testapp 1.*signed$tag"; }
ok "where the policy asks for it, what is new waits for a signature" within 60 waits_unsigned
name=$(agent unsigned | awk -F'\t' '/signed'"$tag"'/ {print $1; exit}')
ok "... of what can be read: images and the release" bash -c "[ -n '$name' ]"
agent unsigned "$name" >"$fleet/what"
ok "... in words" bash -c "grep -q '^image web .*@sha256:' '$fleet/what' && grep -q 'services:' '$fleet/what'"
mkdir -p "$dir/signatures"
"$fairlead" sign --make-key "$fleet/other.key" >/dev/null
"$fairlead" sign "$fleet/what" --key "$fleet/other.key" >"$dir/signatures/$name.sig" 2>/dev/null
ok "another key's counts for nothing" waits_unsigned
"$fairlead" sign "$fleet/what" --key "$fleet/customer.key" >"$dir/signatures/$name.sig" 2>/dev/null
ok "with that key's it starts" within 60 state_is signed$tag running
ok "a second one of the same needs no other" "$fairlead" instance create testapp again$tag --plane "$plane" --size tiny --set title=Two --wait --timeout 60
for one in signed$tag again$tag; do "$fairlead" instance delete "$one" --purge --wait --timeout 90 >/dev/null; done
printf 'apps: [testapp]\ndeletion: false\n' >"$policy"

# ---- the cable ----
"$machine" cable town down
ok "a cable that is cut is seen" within 60 health_is "$app" unknown
ok "... and its plane is unreachable" phase_is unreachable
ok "... the app answers" answers_inside "$app"
dies() { on_engine kill "$(on_engine ps -q --filter "label=fairlead.instance=$(hex "$app")")" >/dev/null && within 30 answers_inside "$app"; }
ok "... and is started again when it dies" dies
"$machine" cable town up
ok "with the cable all is well again" within 60 health_is "$app" ok

# ---- its time ends while nobody is heard ----
says_until() { # the agent holds what says when it ends
  sql_is "select bool_and(observed = revision) from documents where kind = 'stack' and instance_id = '$(id "$app")'" t
}
before=$(on_engine ps -q --filter "label=fairlead.instance=$(hex "$app")")
"$fairlead" instance extend "$app" --until "$(date -u -d '+45 seconds' +%Y-%m-%dT%H:%M:%SZ)" >/dev/null
ok "its end is told" within 20 says_until
ok "... and nothing was started anew for that" test "$(on_engine ps -q --filter "label=fairlead.instance=$(hex "$app")")" = "$before"
"$machine" cable town down
stopped_there() { [ -z "$(on_engine ps -q --filter "label=fairlead.instance=$(hex "$app")")" ]; }
ok "without a link it is stopped when its time has ended" within 120 stopped_there
ok "... and its data is kept" bash -c "docker -H 'unix://$town_DOCKER' volume ls -q --filter label=fairlead.instance=$(hex "$app") | grep -q ."
ok "... its customer is told why" within 30 grep -q 'The time of this app has ended' "$state/told"
"$machine" cable town up
ok "with the link it is suspended, as anywhere" within 90 state_is "$app" suspended
ok "... and goes on when it has more time" "$fairlead" instance extend "$app" --days 3 --wait --timeout 120
ok "... as before" answers_inside "$app"

# ---- for whoever helps from afar ----
ok "a bundle is written and shown" agent bundle "$dir/bundle.txt"
ok "... with what runs, what was refused, and versions" bash -c "grep -q 'engine .*API' '$dir/bundle.txt' && grep -q '$app' '$dir/bundle.txt' && grep -q 'refused: It is to have 256 MB' '$dir/bundle.txt' && grep -q 'stack .*was as wanted' '$dir/bundle.txt'"
ok "... and nothing secret" lacks "$(cat "$dir/bundle.txt")" "$secret"
ok "... readable by nobody else" test "$(stat -c %a "$dir/bundle.txt")" = 600

# ---- another tenant, later; and a record that is moved to another's topic ----
"$fairlead" tenant create "$town/works" >/dev/null
ok "a tenant that comes later has its topic, and is read" env FAIRLEAD_TENANT="$town/works" "$fairlead" instance create testapp yard$tag --plane "$plane" --size tiny --wait --timeout 240
works=$(tenant_id works)
# Whoever owns the broker can write: a record of the office, whole and signed, among those of the works.
moved() {
  kcat -b "$FAIRLEAD_KAFKA" -C -t "fairlead.tenant.$office" -o beginning -e -q -c 1 -D '' >"$fleet/value" &&
    kcat -b "$FAIRLEAD_KAFKA" -P -t "fairlead.tenant.$works" -k moved "$fleet/value" &&
    within 15 grep -q 'a document of another topic' "$fleet/agent.log"
}
ok "a record that was moved to another tenant's topic is refused" moved

# ---- the key that the provider signs with is stolen, and another takes its place ----
ok "the provider's root names another key" env FAIRLEAD_STATE="$fleet/coordinator" "$BUILD/fairlead-coordinator" rotate stolen
knows_it() { sql_is "select key_set = (select max(n) from key_sets) from nodes where name = '$node'" t; }
ok "... the agent knows it, without a hand" within 60 knows_it
held_by_it() { # whatever is wanted here is signed by it
  local id one all
  id=$(sql "select encode(sign_key, 'hex') from key_sets order by n desc limit 1") id=$(cd "$fleet/coordinator" && grep -l "^$id" coordinator.*.keys) id=${id%.keys} id=${id##*.}
  all=$(sql "select replace(instance_id::text, '-', '') || '.' || kind from documents where node_id = (select id from nodes where name = '$node') and not absent")
  [ -n "$all" ] || { echo "nothing is wanted here"; return 1; }
  for one in $all; do
    od -An -v -tx1 "$state/documents/$one.accepted" | tr -d ' \n' | grep -c "1a08$id" >/dev/null || { echo "$one is not"; return 1; }
  done
}
ok "... and holds all that is wanted under it" within 90 held_by_it
ok "... untouched: its app answers" answers_inside "$app"

# ---- the end ----
gone_id=$(id "$app")
"$fairlead" instance delete "$app" --purge >/dev/null
refused_deletion() { grep -q '	route	.*refused: .*does not allow that anything is taken away' "$state/log"; }
ok "a deletion that the customer forbids is refused" within 120 refused_deletion
ok "... the app is still there" there "$app"
rm "$policy"
missing() { ! agent policy 2>"$fleet/said" && grep -q 'was there, and is not any more' "$fleet/said"; }
ok "a policy that is missing allows nothing new" missing
echo 'deletion: true' >"$policy"
is_gone() { sql_is "select state from instances where id = '$gone_id'" deleted; }
ok "... when it may be it goes, by itself" within 120 is_gone
ok "... the other tenant's too" env FAIRLEAD_TENANT="$town/works" "$fairlead" instance delete yard$tag --purge --wait --timeout 120
ok "that tenant is deleted" "$fairlead" tenant delete "$town/works"
ok "... and its topic is read by nobody any more" within 20 reads_not "fairlead.tenant.$works"
ok "what was refused is deleted" "$fairlead" instance delete big$tag --purge --wait --timeout 120
"$fairlead" instance create testapp lost$tag --plane "$plane" --size tiny --wait --timeout 120 >/dev/null
lost=$(id lost$tag)
"$fairlead" member add "$town/boss" --role administrator >/dev/null
"$fairlead" token create boss --member "$town/boss" --file "$fleet/boss.token" >/dev/null
ok "an app runs whose machine will be lost" state_is lost$tag running
stop_agent
not_yet() { ! "$fairlead" instance forget "lost$tag" 2>"$fleet/said" && grep -q 'cannot be asked to forget now' "$fleet/said"; }
ok "what is not being deleted is not forgotten" not_yet
"$fairlead" instance delete lost$tag --purge >/dev/null
waits_for_it() { sql_is "select count(*) from steps where instance_id = '$lost' and act = 'route' and state = 'open'" 1; }
ok "its deletion waits for it" within 60 waits_for_it
ok "... its members may not forget it" test "$(curl -s -o /dev/null -w '%{http_code}' -X POST -H "Authorization: Bearer $(cat "$fleet/boss.token")" -H 'Content-Type: application/json' -d '{}' "$FAIRLEAD_SERVER/v1/instances/$lost/forget")" = 403
ok "... whoever operates may" "$fairlead" instance forget lost$tag --wait --timeout 60
ok "... and it is deleted" sql_is "select state from instances where id = '$lost'" deleted
ok "... which the audit has" sql_is "select count(*) from audit where act = 'INSTANCE_FORGET' and object like '%$lost%' and status = 202" 1
ok "... though it runs on there" bash -c "docker -H 'unix://$town_DOCKER' ps -q --filter label=fairlead.instance=${lost//-/} | grep -q ."
start_agent
purged() { [ -z "$(on_engine ps -aq --filter "label=fairlead.instance=${lost//-/}")$(on_engine volume ls -q --filter "label=fairlead.instance=${lost//-/}")" ]; }
ok "when it is back it takes it away, and its data" within 60 purged
ok "nothing of them is left" bash -c "! docker -H 'unix://$town_DOCKER' ps -aq --filter label=fairlead.instance | grep ."
"$fairlead" node create two$tag --plane "$plane" --roles host,edge,prober --address 10.203.2.3 --cpu 4000 --memory 4096 >/dev/null
token=$("$fairlead" node invite two$tag)
second() { agent --state "$state.two" --recovery-key "$dir/two.keys" "$@" enrol "$token"; }
knows_not() { ! second 2>"$fleet/said" && grep -q 'does not know' "$fleet/said"; }
ok "a second machine does not take the plane's recovery key on somebody's word" knows_not
ok "... but that of the first machine, which its customer names" second --plane-key "$("$fairlead" plane get "$plane" -o json | jq -r .recovery_key)"
ok "the plane's node is revoked" "$fairlead" node revoke "$node"
ok "... and reads its tenants no more" within 15 reads_not "fairlead.tenant.$office"
stop_agent || true
ok "its customer can leave" agent leave
ok "... and nothing is known of the provider then" bash -c "! ls '$state'/node.json '$state'/node.pem 2>/dev/null | grep ."
"$fairlead" node create new$tag --plane "$plane" --roles host,edge,prober --address $here --cpu 4000 --memory 4096 >/dev/null
ok "... and come back, as another node" agent enrol "$("$fairlead" node invite new$tag)"
start_agent
ok "... which is heard" within 30 heard new$tag
stop_agent
"$machine" down town
finish
