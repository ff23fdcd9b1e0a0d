#!/usr/bin/env bash
# Kafka as a cluster of three: brokers are killed while work is under way. With one dead nothing waits for it; with two dead nothing is
# lost, and all goes on when they are back (acceptance 34; design section 10). A stack of its own, in a network of its own.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
root=$(cd "$here/../.." && pwd)
cluster=$root/build/cluster
if [ -z "${CLUSTER:-}" ]; then
  mkdir -p "$cluster"
  # The base image, which nobody can fetch without a network, from the stack that runs.
  docker -H "unix://$FAIRLEAD_DOCKER" save -o "$cluster/base.tar" "$FAIRLEAD_REGISTRY/fairlead/base:bookworm"
  exec env -i CLUSTER=1 PATH="$PATH" HOME="${HOME:-/root}" BUILD="${BUILD:-$root/build/gcc-faults}" FAIRLEAD_FAULT_LOG="${FAIRLEAD_FAULT_LOG:-}" \
    FAIRLEAD_RUN="$cluster" FAIRLEAD_KAFKA_BROKERS=3 FAIRLEAD_BASE_IMAGE="$cluster/base.tar" FAIRLEAD_START_TIMEOUT=120 \
    unshare --net bash -c 'ip link set lo up && exec bash "$0"' "$here/cluster.sh"
fi
trap '"$root/deploy/dev/fleet" down >/dev/null 2>&1; "$root/deploy/dev/stack" down >/dev/null 2>&1; rm -rf "$cluster"' EXIT
"$root/deploy/dev/stack" up >"$cluster/up" 2>&1 || { grep -v ' WARN ' "$cluster/up" | tail -n 20; tail -n 5 "$cluster"/kafka/{2,3}/kafka.log; exit 1; }
"$root/deploy/dev/fleet" up >>"$cluster/up" 2>&1 || { tail -n 20 "$cluster/up"; exit 1; }
eval "$("$root/deploy/dev/fleet" env)"
# shellcheck source=../support/e2e.sh
. "$root/tests/support/e2e.sh"
# shellcheck source=../support/processes.sh
. "$root/tests/support/processes.sh"
# shellcheck source=../support/instances.sh
. "$root/tests/support/instances.sh"
"$fairlead" customer create e2e --plan trial >/dev/null
"$fairlead" tenant create e2e/main >/dev/null
export FAIRLEAD_TENANT=e2e/main
explain() { topics | head -n 5; sql "select state, count(*) from instances group by 1"; grep -hE ' (warn|error) ' "$fleet"/*.log | tail -n 8; }

topics() { kcat -L -J -b "$FAIRLEAD_KAFKA" -m 10 | jq -r '.topics[] | select(.topic | startswith("fairlead.")) | .topic as $t | .partitions[] | "\($t) \(.replicas | length) \(.isrs | length)"'; }
copies() { [ "$(topics | awk -v n="$1" '$3 != n' | grep -c .)" = 0 ] && [ "$(topics | grep -c .)" -gt 50 ]; } # HOW MANY are in step, everywhere
killed() { local pid; pid=$(service_pid "$1"); kill -9 "$pid" && within 20 gone "$pid"; }
back() { "$root/deploy/dev/stack" up >/dev/null && within 90 copies 3; }
asked=0
ask() { # HOW MANY no-ops, one after another
  local n
  for ((n = 0; n < $1; n++)); do
    asked=$((asked + 1))
    "$fairlead" instance create noop "c$asked" >/dev/null
  done
}
all_run() { sql_is "select count(*) from instances where state = 'running' and name like 'c%'" "$asked"; }
nothing_waits() { sql_is "select (select count(*) from outbox) || ' ' || (select count(*) from steps where state = 'open')" '0 0'; }
# Every event of the table stands in the topic; twice is allowed, never is not.
published() {
  kcat -C -e -q -b "$FAIRLEAD_KAFKA" -t fairlead.events -f '%h\n' 2>/dev/null | grep -o 'ce_id=[^,]*' | sort -u >"$fleet/published"
  [ -z "$(comm -23 <(sql "select 'ce_id=' || id from events" | sort -u) "$fleet/published")" ]
}

ok "each topic has three copies" within 30 copies 3
"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
ok "an app comes up" "$fairlead" instance create testapp site --size tiny --wait --timeout 240

# ---- one dies, and which leads what is another's ----
for broker in kafka kafka2; do
  ask 20
  "$fairlead" instance create testapp "with$broker" --size tiny >/dev/null
  ok "$broker is killed while work is under way" killed "$broker"
  ask 20
  ok "... all of it is done" within 90 all_run
  ok "... an app that came up meanwhile, too" within 120 state_is "with$broker" running
  ok "... and nothing waits" within 30 nothing_waits
  ok "... every event is published" within 30 published
  ok "... nodes are heard" within 60 sql_is "select count(*) from nodes where health <> 'ok'" 0
  ok "with it back all copies are in step" back
done

# ---- two die: less than must agree ----
ok "two are killed" killed kafka
ok "... of three" killed kafka3
ok "requests are taken all the same" ask 10
ok "... and wait" within 10 sql_is "select count(*) > 0 from outbox" t
ok "with both back" back
ok "... all is done" within 120 all_run
ok "... and nothing waits" within 30 nothing_waits
ok "... every event is published" within 30 published
ok "... and the apps answer" serves site
finish
