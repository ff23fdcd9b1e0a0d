#!/usr/bin/env bash
# Many agents, each of a customer of its own with one tenant, that have nothing to do: what they cost the broker, the coordinator and PostgreSQL, and
# what one more costs. usage: agents.sh [STEP [STEPS [SECONDS]]]   (100 3 60; in a network that it makes itself. BUILD: build/gcc)
# They are probers without apps, so they need no Engine; what is measured is what they hear and say: two topics each, a heartbeat in five
# minutes, presence each ten seconds. Prints a row for each number of agents.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
root=$(cd "$here/../.." && pwd)
export BUILD=${BUILD:-$root/build/gcc} FAIRLEAD_RUN=$root/build/bench.agents
step=${1:-100} steps=${2:-3} seconds=${3:-60} outside=10.203.0.1
if [ -z "${INSIDE:-}" ]; then
  INSIDE=1 FAIRLEAD_EDGE_ADDRESS=$outside FAIRLEAD_NODES_ADDRESS=$outside exec unshare --net bash -c \
    'ip link set lo up && ip addr add "$0"/32 dev lo && exec bash "$@"' $outside "$here/agents.sh" "$step" "$steps" "$seconds"
fi
agents=()
down() {
  [ ${#agents[@]} = 0 ] || kill "${agents[@]}" 2>/dev/null
  "$root/deploy/dev/fleet" down && "$root/deploy/dev/stack" down
  rm -rf "$FAIRLEAD_RUN"
} >/dev/null 2>&1
trap down EXIT
"$root/deploy/dev/stack" up >/dev/null
"$root/deploy/dev/fleet" up >/dev/null
eval "$("$root/deploy/dev/fleet" env)"
# shellcheck source=../support/e2e.sh
. "$root/tests/support/e2e.sh"
"$fairlead" plan create bench --modes private >/dev/null

states=$FAIRLEAD_RUN/agents
agent() { # N ARGUMENT...
  local n=$1
  shift
  FAIRLEAD_STATE=$states/$n FAIRLEAD_RECOVERY_KEY=$states/$n.keys FAIRLEAD_SECRETS=$states/$n.secrets FAIRLEAD_DNS='' FAIRLEAD_GUARD=none FAIRLEAD_ENGINE=$states/none \
    FAIRLEAD_POLICY=$states/none "$BUILD/fairlead-agent" --roles prober "$@"
}
joins() { # N
  "$fairlead" customer create "c$1" --plan bench >/dev/null
  "$fairlead" tenant create "c$1/t" >/dev/null
  "$fairlead" plane create "p$1" --mode private --customer "c$1" --domain "p$1.test" >/dev/null
  "$fairlead" node create "n$1" --plane "p$1" --roles prober --address 10.203.2.2 --cpu 1000 --memory 1000 >/dev/null
  agent "$1" enrol "$("$fairlead" node invite "n$1")" >/dev/null 2>"$states/$1.said" || { cat "$states/$1.said"; return 1; }
  agent "$1" run >"$states/$1.log" 2>&1 </dev/null &
  agents+=($!)
  disown
}
mkdir -p "$states"

ticks() { awk '{sub(/.*\) /, ""); split($0, f, " "); n += f[12] + f[13]} END {print n + 0}' $(printf '/proc/%s/stat ' "$@") 2>/dev/null; }
tree() { local p; for p in "$@"; do echo "$p"; tree $(pgrep -P "$p" || true); done; } # of processes
resident() { cat $(printf '/proc/%s/smaps_rollup ' "$@") 2>/dev/null | awk '/^Pss:/ {kb += $2} END {printf "%.0f", kb / 1024}'; }
broker=$(service_pid kafka) coordinator=$(cat "$fleet/coordinator.pid") postgres=$(service_pid postgres)
heard() { sql "select count(*) from nodes where state = 'ready' and health = 'ok' and name ~ '^n[0-9]'"; }
all_heard() { [ "$(heard)" = "$1" ]; }
measure() { # AGENTS
  local before=() after=() who
  read -r -t 15 <> <(:) || true # what the last ones began
  for who in "$broker" "$coordinator" "$postgres"; do before+=("$(ticks $(tree "$who"))"); done
  read -r -t "$seconds" <> <(:) || true
  for who in "$broker" "$coordinator" "$postgres"; do after+=("$(ticks $(tree "$who"))"); done
  local hz
  hz=$(getconf CLK_TCK)
  awk -v n="$1" -v s="$seconds" -v hz="$hz" -v b=$((after[0] - before[0])) -v c=$((after[1] - before[1])) -v p=$((after[2] - before[2])) \
    -v bm="$(resident $(tree "$broker"))" -v cm="$(resident $(tree "$coordinator"))" -v pm="$(resident $(tree "$postgres"))" -v am="$(((${#agents[@]} > 0)) && resident "${agents[@]}" || echo 0)" \
    'BEGIN {printf "%6d %9.1f %9.1f %9.1f %9d %9d %9d %9.1f\n", n, 1000 * b / hz / s, 1000 * c / hz / s, 1000 * p / hz / s, bm, cm, pm, n ? am / n : 0}'
}
printf '%6s %9s %9s %9s %9s %9s %9s %9s\n' agents 'broker' 'coordin.' 'postgres' 'broker' 'coordin.' 'postgres' 'an agent' '' 'CPU ms/s' 'CPU ms/s' 'CPU ms/s' MB MB MB MB
measure 0
for ((k = 1; k <= steps; k++)); do
  for ((n = (k - 1) * step + 1; n <= k * step; n++)); do joins $n; done
  within 120 all_heard $((k * step)) || { echo "$(heard) of $((k * step)) are heard"; exit 1; }
  measure $((k * step))
done
