# What a test asks about an instance, by its name. Sourced; needs sql, engine and $fairlead.
# shellcheck shell=bash disable=SC2154
id() { sql "select id from instances where name = '$1' and state <> 'deleted'"; }
hex() { local i; i=$(id "$1"); echo "${i//-/}"; }
host() { echo "$1-main-e2e.$FAIRLEAD_ZONE"; }
node() { "$fairlead" instance get "$1" -o json | jq -r .node; }
container() { engine ps -aq --filter "label=fairlead.instance=$(hex "$1")"; }
network() { engine network ls -q --filter "label=fairlead.instance=$(hex "$1")"; }
# By the edge's address: a client's own rule for *.localhost leads to a loopback edge only.
serves() { curl -sf -m 3 -o /dev/null --connect-to "::$FAIRLEAD_EDGE_ADDRESS:" "http://$(host "$1"):$FAIRLEAD_HTTP_PORT/healthz"; }
# Another source of an app, as our fork has it: builds happen only for what nobody has built.
new_source() { # APP_DIR
  local fresh
  fresh=$fleet/fresh/$(basename "$1")
  rm -rf "$fresh" && mkdir -p "$fleet/fresh" && cp -r "$1" "$fresh"
  echo "# $(date +%s%N)" >>"$fresh/image/web/Dockerfile"
  "$root/deploy/dev/fork" "$fresh" "$fleet/forks"
}
health_is() {
  local got
  got=$("$fairlead" instance get "$1" -o json | jq -r '"\(.health) \(.health_reason // "")"')
  [ "${got%% *}" = "$2" ] || { echo "its health is $got"; return 1; }
}
