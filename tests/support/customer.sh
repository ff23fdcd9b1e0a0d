# A customer's own network, for scripts about private planes: a machine "town" with an Engine and an nginx, a packet filter that
# lets nothing in, and what runs the agent there. Sourced after e2e.sh; it ends a script where this machine has no address that
# others reach (tests/e2e/run gives the second hand one).
# shellcheck shell=bash disable=SC2034,SC2154
# shellcheck source=processes.sh
. "$root/tests/support/processes.sh"
# shellcheck source=instances.sh
. "$root/tests/support/instances.sh"
case $FAIRLEAD_KAFKA_NODES in 127.*) ok "this machine has no address that others reach: nothing to try here" true; finish; exit ;; esac
machine=$root/deploy/dev/machine
here=10.203.2.2
inside() { "$machine" run town "$@"; }
on_engine() { docker -H "unix://${town_DOCKER:?}" "$@"; }
town_up() {
  "$machine" down town # of a run that was cut short
  "$machine" up town $here 10.203.2.1 && "$machine" edge town && "$machine" closed town
}
# After town_up: where things are there.
town_env() {
  eval "$("$machine" env town | sed 's/export FAIRLEAD_\(DOCKER\|EDGE\|HTTP\|NGINX\)/town_\1/')"
  dir=$FAIRLEAD_MACHINE state=$FAIRLEAD_MACHINE/state policy=$FAIRLEAD_MACHINE/policy.yaml
}
# Connections that somebody has tried to make into it.
tried() { inside nft -j list table inet customer | jq '[.nftables[].rule?.expr[]?.counter?.packets // 0] | add'; }
agent() { # ARGUMENT...
  inside env FAIRLEAD_STATE="$state" FAIRLEAD_SECRETS="$dir/secrets" FAIRLEAD_ENGINE="$town_DOCKER" FAIRLEAD_REGISTRY="$FAIRLEAD_GATE" \
    FAIRLEAD_DNS="$FAIRLEAD_NODES_DNS" FAIRLEAD_ZONE="$FAIRLEAD_ZONE" FAIRLEAD_EDGE_DIR="${town_EDGE_DIR:?}" FAIRLEAD_NGINX_CONF="${town_NGINX_CONF:?}" \
    FAIRLEAD_NGINX_PID="${town_NGINX_PID:?}" FAIRLEAD_HTTP_PORT="${town_HTTP_PORT:?}" FAIRLEAD_POLICY="$policy" FAIRLEAD_SIGNATURES="$dir/signatures" FAIRLEAD_RECOVERY_KEY="$dir/recovery.keys" \
    "$BUILD/fairlead-agent" "$@"
}
start_agent() { agent run >>"$fleet/agent.log" 2>&1 </dev/null & disown; }
agent_pid() { local p; for p in $(pgrep -f "^$BUILD/fairlead-agent run"); do if tr '\0' '\n' <"/proc/$p/environ" | grep -x "FAIRLEAD_STATE=$state" >/dev/null; then echo "$p"; fi; done; }
stop_agent() { local p; p=$(agent_pid); [ -z "$p" ] || { kill "$p" && within 30 gone "$p"; }; }
heard() { [ "$("$fairlead" node get "$1" -o json | jq -r '.state + " " + .health')" = 'ready ok' ]; } # NODE
