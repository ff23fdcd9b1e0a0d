#!/usr/bin/env bash
# A narrow network: only an HTTP proxy that wants a password leads out of it, to one port of one host, and no name server of ours is
# reached. An agent joins, fetches images, runs an app and proves it all the same (deploy/nginx/one-port.conf). Only where this machine has an address that others reach.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/customer.sh
. "$root/tests/support/customer.sh"
tag=$(($(date +%s) % 100000))
office=mill$tag app=weir$tag
explain() { tail -n 5 "$fleet/agent.log"; tail -n 3 "$fleet/proxy.log"; }
way_out=10.203.2.1:13128

ok "a customer's machine is there, whose Engine knows no proxy" town_up
town_env
FAIRLEAD_GATE=$FAIRLEAD_ONE # of the agent: where images are
cat >"$fleet/proxy.conf" <<EOF
Port ${way_out#*:}
Listen ${way_out%:*}
Timeout 600
MaxClients 50
LogLevel Connect
BasicAuth town mouse
ConnectPort ${FAIRLEAD_ONE#*:}
EOF
tinyproxy -d -c "$fleet/proxy.conf" >"$fleet/proxy.log" 2>&1 &
proxy=$!
trap 'kill $proxy 2>/dev/null || true' EXIT
inside nft -f - <<EOF
table inet narrow {
  chain output { type filter hook output priority filter; policy accept; oifname "eth0" ct state new jump narrow; }
  chain forward { type filter hook forward priority filter; policy accept; oifname "eth0" ct state new jump narrow; }
  chain narrow {
    ip daddr ${way_out%:*} tcp dport ${way_out#*:} accept
    reject
  }
}
EOF
ok "nothing leads out" bash -c "! '$machine' run town curl -sk -m 3 -o /dev/null 'https://$FAIRLEAD_GATE/v1/authority'"
ok "... but the proxy" inside curl -skf -m 5 -o /dev/null -x "http://town:mouse@$way_out" "https://$FAIRLEAD_GATE/v1/authority"

"$fairlead" plan create n$tag --modes private >/dev/null
"$fairlead" customer create "$office" --plan n$tag >/dev/null
"$fairlead" tenant create "$office/desk" >/dev/null
export FAIRLEAD_TENANT=$office/desk
"$fairlead" plane create "$office" --mode private --customer "$office" --domain "$FAIRLEAD_ZONE" --public-port "$town_HTTP_PORT" >/dev/null
"$fairlead" size create "$office/tiny" --cpu 100 --memory 64 --disk 100 >/dev/null
"$fairlead" node create n$tag --plane "$office" --roles host,edge,prober --address $here --cpu 4000 --memory 4096 >/dev/null
# The coordinator, when its nodes are to go there.
restart_coordinator() {
  kill "$(coordinator)" && within 30 gone "$(coordinator)"
  start_coordinator ''
  within 30 ready
}
nodes=$FAIRLEAD_KAFKA_NODES url=$FAIRLEAD_NODE_URL
export FAIRLEAD_KAFKA_NODES=$FAIRLEAD_ONE FAIRLEAD_NODE_URL=https://$FAIRLEAD_ONE
restart_coordinator
restore() { # for the scripts that follow, however this one ends
  kill "$proxy" 2>/dev/null || true
  export FAIRLEAD_KAFKA_NODES=$nodes FAIRLEAD_NODE_URL=$url
  restart_coordinator
}
trap restore EXIT
token=$("$fairlead" node invite n$tag)
ok "its invitation leads to the one port" has "$token" "https://$FAIRLEAD_ONE"
refused() { ! agent --proxy "$1" enrol "$token" 2>"$fleet/said" && grep -q "$2" "$fleet/said"; }
ok "what is no proxy is told" refused "socks://x:1" 'a proxy is http://'
ok "one that does not let us pass is told" refused "http://town:cat@$way_out" 'CONNECT'
ok "it joins through the proxy" agent --proxy "http://town:mouse@$way_out" enrol "$token"
run_it() { agent --proxy "$1" --dns "" run >>"$fleet/agent.log" 2>&1 </dev/null & disown; }
agent_pid() { local p; for p in $(pgrep -f "^$BUILD/fairlead-agent --proxy"); do if tr '\0' '\n' <"/proc/$p/environ" | grep -x "FAIRLEAD_STATE=$state" >/dev/null; then echo "$p"; fi; done; }
: >"$fleet/agent.log" # another script's agent may have said it
run_it "http://town:cat@$way_out"
ok "with another password it says what the proxy said" within 30 grep -q "answers to CONNECT .*: HTTP/1.. 40[17]" "$fleet/agent.log"
stop_agent
run_it "http://town:mouse@$way_out"
ok "with the right one it is heard" within 40 heard n$tag
agent --proxy "http://town:mouse@$way_out" bundle "$dir/bundle.txt" >/dev/null 2>&1
ok "a bundle says that there is a proxy, and not its password" bash -c "grep -q '^proxy .*(set)' '$dir/bundle.txt' && ! grep -q mouse '$dir/bundle.txt'"
"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
ok "an app is asked for, and proved from inside" "$fairlead" instance create testapp "$app" --plane "$office" --size tiny --wait --timeout 240
answers_inside() { inside curl -sf -m 5 -o /dev/null --connect-to "::$here:" "http://$("$fairlead" instance get "$app" -o json | jq -r .host):$town_HTTP_PORT/healthz"; }
ok "it answers there" answers_inside
kill "$proxy" && wait "$proxy" 2>/dev/null || true
ok "without the proxy nobody hears of it" within 60 health_is "$app" unknown
tinyproxy -d -c "$fleet/proxy.conf" >>"$fleet/proxy.log" 2>&1 &
proxy=$!
ok "with it all is well again" within 60 health_is "$app" ok
ok "it is deleted there" "$fairlead" instance delete "$app" --purge --wait --timeout 120

# ---- images by file: a machine that does not reach the registry ----
stop_agent
FAIRLEAD_GATE=10.203.2.1:9 # nobody
run_it "http://town:mouse@$way_out"
within 40 heard n$tag
"$fairlead" instance create testapp "by$tag" --plane "$office" --size tiny >/dev/null
lacks_it() { "$fairlead" instance get "by$tag" -o json | jq -e '.problem | test("10.203.2.1:9")'; }
ok "an app whose image is not reached says so" within 60 lacks_it
ok "its images are written to a file" "$fairlead" instance images "by$tag" "$fleet/images.tar"
ok "... which is a layout that others read, too" bash -c "tar -xOf '$fleet/images.tar' index.json | jq -e '.manifests[0].digest == \"$("$fairlead" instance get "by$tag" -o json | jq -r '.images.web' | cut -d@ -f2)\"'"
cp "$fleet/images.tar" "$fleet/damaged.tar"
printf x | dd of="$fleet/damaged.tar" bs=1 seek=700000 conv=notrunc status=none
refuses() { ! agent import "$fleet/damaged.tar" 2>"$fleet/said" && grep -q 'damaged' "$fleet/said"; }
ok "one that is damaged is refused" refuses
ok "... and the app goes on waiting" state_is "by$tag" new
ok "the customer brings it" agent import "$fleet/images.tar"
ok "... and the app comes up" within 90 state_is "by$tag" running
ok "... and nothing of the file stays" test -z "$(ls "$state/imported")"
ok "it goes" "$fairlead" instance delete "by$tag" --purge --wait --timeout 120
"$fairlead" node revoke n$tag >/dev/null
stop_agent || true
"$machine" down town
finish
