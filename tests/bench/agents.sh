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
of() { # N: its settings
  printf 'FAIRLEAD_%s\n' "STATE=$states/$1" "RECOVERY_KEY=$states/$1.keys" "SECRETS=$states/$1.secrets" DNS= GUARD=none "ENGINE=$states/none" "POLICY=$states/none" ROLES=prober
}
joins() { # N
  "$fairlead" customer create "c$1" --plan bench >/dev/null
  "$fairlead" tenant create "c$1/t" >/dev/null
  "$fairlead" plane create "p$1" --mode private --customer "c$1" --domain "p$1.test" >/dev/null
  "$fairlead" node create "n$1" --plane "p$1" --roles prober --address 10.203.2.2 --cpu 1000 --memory 1000 >/dev/null
  local token settings
  mapfile -t settings < <(of "$1")
  token=$("$fairlead" node invite "n$1")
  until env "${settings[@]}" "$BUILD/fairlead-agent" enrol "$token" >/dev/null 2>"$states/said"; do
    grep -q 'ask again' "$states/said" || { cat "$states/said"; return 1; }
    read -r -t 2 <> <(:) || true # the gate has a limit for each address
  done
  env "${settings[@]}" "$BUILD/fairlead-agent" run >"$states/$1.log" 2>&1 </dev/null & # env becomes it: what is stopped at the end
  agents+=($!)
  disown
}
mkdir -p "$states"

tree() { # of processes, a line each
  local p children
  for p in "$@"; do echo "$p" && mapfile -t children < <(pgrep -P "$p" || true) && tree "${children[@]}"; done
}
ticks() { # of CPU, by all of a tree
  local p
  tree "$1" | while read -r p; do cat "/proc/$p/stat" 2>/dev/null || true; done | awk '{sub(/.*\) /, ""); split($0, f, " "); n += f[12] + f[13]} END {print n + 0}'
}
mb() { # what is theirs of memory, a shared page counted once
  local p
  for p in "$@"; do cat "/proc/$p/smaps_rollup" 2>/dev/null || true; done | awk '/^Pss:/ {kb += $2} END {printf "%.0f", kb / 1024}'
}
tree_mb() { mapfile -t pids < <(tree "$1"); mb "${pids[@]}"; }
broker=$(service_pid kafka) coordinator=$(cat "$fleet/coordinator.pid") postgres=$(service_pid postgres)
watched=("$broker" "$coordinator" "$postgres")
heard() { sql "select count(*) from nodes where state = 'ready' and health = 'ok' and name ~ '^n[0-9]'"; }
all_heard() { [ "$(heard)" = "$1" ]; }
measure() { # AGENTS
  local before=() spent=() who k
  read -r -t 15 <> <(:) || true # what the last ones began
  for who in "${watched[@]}"; do before+=("$(ticks "$who")"); done
  read -r -t "$seconds" <> <(:) || true
  for k in "${!watched[@]}"; do spent+=($((($(ticks "${watched[k]}") - before[k]) * 1000 / $(getconf CLK_TCK)))); done
  printf '%6d' "$1"
  for k in "${spent[@]}"; do printf ' %9s' "$(awk -v ms="$k" -v s="$seconds" 'BEGIN {printf "%.1f", ms / s}')"; done
  for who in "${watched[@]}"; do printf ' %9s' "$(tree_mb "$who")"; done
  printf ' %9s\n' "$(awk -v n="$1" -v mb="$(mb "${agents[@]}")" 'BEGIN {printf "%.1f", n ? mb / n : 0}')"
}
printf '%6s %9s %9s %9s %9s %9s %9s %9s\n' agents 'broker' 'coordin.' 'postgres' 'broker' 'coordin.' 'postgres' 'an agent' '' 'CPU ms/s' 'CPU ms/s' 'CPU ms/s' MB MB MB MB
measure 0
for ((k = 1; k <= steps; k++)); do
  for ((n = (k - 1) * step + 1; n <= k * step; n++)); do joins $n; done
  within 120 all_heard $((k * step)) || { echo "$(heard) of $((k * step)) are heard"; exit 1; }
  measure $((k * step))
done
