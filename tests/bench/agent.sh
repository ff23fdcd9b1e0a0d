#!/usr/bin/env bash
# An agent in a customer's network against a worker with the role host, in the same run: ten instances each, over TLS.
# usage: agent.sh [CHANGES]   (20; in a network that it makes itself. BUILD: build/gcc; FAIRLEAD_BASE_IMAGE: file of the base image)
# Prints a table: memory, what passes the wire while nothing happens, from a change's request until it was reached, and from a
# revocation until an open connection is cut.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
root=$(cd "$here/../.." && pwd)
export BUILD=${BUILD:-$root/build/gcc} FAIRLEAD_RUN=$root/build/bench.agent
changes=${1:-20} instances=10 quiet_s=120 outside=10.203.0.1
if [ -z "${INSIDE:-}" ]; then
  INSIDE=1 FAIRLEAD_EDGE_ADDRESS=$outside FAIRLEAD_NODES_ADDRESS=$outside exec unshare --net bash -c \
    'ip link set lo up && ip addr add "$0"/32 dev lo && exec bash "$@"' $outside "$here/agent.sh" "$changes"
fi
down() {
  [ -z "${machine:-}" ] || "$machine" down town >/dev/null 2>&1
  "$root/deploy/dev/fleet" down && "$root/deploy/dev/stack" down
  rm -rf "$FAIRLEAD_RUN"
} >/dev/null 2>&1
trap down EXIT
"$root/deploy/dev/stack" up >/dev/null
"$root/deploy/dev/fleet" up >/dev/null
eval "$("$root/deploy/dev/fleet" env)"
# shellcheck source=../support/e2e.sh
. "$root/tests/support/e2e.sh"
# shellcheck source=../support/customer.sh
. "$root/tests/support/customer.sh"
town_up >/dev/null 2>&1
town_env
"$fairlead" plan create bench --modes shared,private >/dev/null
"$fairlead" customer create bench --plan bench >/dev/null
"$fairlead" tenant create bench/main >/dev/null
export FAIRLEAD_TENANT=bench/main
"$fairlead" plane create town --mode private --customer bench --domain "$FAIRLEAD_ZONE" --public-port "$town_HTTP_PORT" >/dev/null
"$fairlead" size create town/tiny --cpu 100 --memory 64 --disk 100 >/dev/null
"$fairlead" node create town --plane town --roles host,edge,prober --address 10.203.2.2 --cpu 4000 --memory 4096 >/dev/null
agent enrol "$("$fairlead" node invite town)" >/dev/null
start_agent
within 40 heard town
"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
# The worker that is compared hosts all of the provider's; the other one makes images and serves names.
sql "update nodes set roles = array_remove(roles, 'host') where name = 'server'" >/dev/null
for ((n = 1; n <= instances; n++)); do
  "$fairlead" instance create testapp "a$n" --plane town --size tiny >/dev/null
  "$fairlead" instance create testapp "w$n" --size tiny >/dev/null
done
within 300 sql_is "select count(*) from instances where state = 'running'" $((2 * instances))

private_mb() { awk '/^Private_/ {kb += $2} END {printf "%.1f", kb / 1024}' "/proc/$1/smaps_rollup"; }
resident_mb() { awk '/^Rss:/ {printf "%.1f", $2 / 1024}' "/proc/$1/smaps_rollup"; }
on_the_wire() { inside ip -s -j link show eth0 | jq '.[0].stats64 | .rx.bytes + .tx.bytes'; }
asked() { curl -s "$FAIRLEAD_SERVER/metrics" -H "Authorization: Bearer $(cat "$FAIRLEAD_TOKEN_FILE")" | awk '/^fairlead_http_requests_total/ {n += $2} END {print n + 0}'; }
worker=$(cat "$fleet/slave.pid") agent=$(agent_pid)

before=$(on_the_wire) requests=$(asked)
read -r -t $quiet_s <> <(:) || true
wire=$(($(on_the_wire) - before)) requests=$(($(asked) - requests))

# From the coordinator's line about a request until the line about its revision, which the node writes when it has looked again.
changed_ms() { # INSTANCE LOG
  local trace from until
  "$fairlead" instance stop "$1" --wait --timeout 60 >/dev/null
  "$fairlead" instance start "$1" --wait --timeout 60 >/dev/null
  trace=$(grep 'intent="start"' "$fleet/coordinator.log" | tail -1 | grep -o 'trace="[^"]*"')
  within 20 grep -q "document reached.*\.stack\".*$trace" "$2"
  from=$(grep -m 1 "\"request\".*$trace" "$fleet/coordinator.log" | cut -d' ' -f1)
  until=$(grep -m 1 "document reached.*\.stack\".*$trace" "$2" | cut -d' ' -f1)
  echo $((($(date -d "$until" +%s%N) - $(date -d "$from" +%s%N)) / 1000000))
}
median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
p50() { local n; for ((n = 0; n < changes; n++)); do changed_ms "$1$((n % instances + 1))" "$2"; done | median; }
agent_ms=$(p50 a "$fleet/agent.log") worker_ms=$(p50 w "$fleet/slave.log")
agent_mb=$(private_mb "$agent") worker_mb=$(private_mb "$worker") agent_rss=$(resident_mb "$agent") worker_rss=$(resident_mb "$worker")

# Somebody with its certificate reads on and on; then it is revoked.
plane=fairlead.plane.$(sql "select replace(id::text, '-', '') from planes where name = 'town'")
inside kcat -F <(printf 'security.protocol=ssl\nssl.ca.location=%s\nssl.certificate.location=%s\nssl.key.location=%s\n' "$state/authority.pem" "$state/node.pem" "$state/node.pem") \
  -b "$FAIRLEAD_KAFKA_NODES" -C -t "$plane" -o end >/dev/null 2>"$fleet/kcat" &
reader=$!
read -r -t 3 <> <(:) || true
alive "$reader" || { cat "$fleet/kcat"; exit 1; }
from=$(date +%s%N)
"$fairlead" node revoke town >/dev/null
while alive "$reader" && ! grep -q 'authorization failed' "$fleet/kcat"; do read -r -t 0.01 <> <(:) || true; done
cut_ms=$((($(date +%s%N) - from) / 1000000))
kill "$reader" 2>/dev/null || true
stop_agent

printf '%-58s %10s %10s\n' "$instances instances each, TLS" agent worker \
  'private memory, MB' "$agent_mb" "$worker_mb" 'resident, MB' "$agent_rss" "$worker_rss" \
  "on the wire in $quiet_s quiet seconds, bytes/s, both ways" $((wire / quiet_s)) - \
  'requests to the coordinator meanwhile' "$requests" - \
  "request to start until its app is healthy, ms, p50 of $changes" "$agent_ms" "$worker_ms" \
  'revoked to cut off, open connection, ms' "$cut_ms" -
