#!/usr/bin/env bash
# One view of all planes: the same calls about an app on a shared, a dedicated and a private plane get the same answers, tell the same
# events and leave the same rows (acceptance 40). Only where this machine has an address that others reach.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/customer.sh
. "$root/tests/support/customer.sh"
tag=$(($(date +%s) % 100000))
customer=firm$tag
explain() { tail -n 4 "$fleet/agent.log" "$fleet/far.log" 2>/dev/null; }

# ---- three planes of one customer: ours, one that is run for it alone, and its own ----
"$fairlead" plan create m$tag --modes shared,dedicated,private >/dev/null
"$fairlead" customer create "$customer" --plan m$tag >/dev/null
"$fairlead" tenant create "$customer/desk" >/dev/null
export FAIRLEAD_TENANT=$customer/desk
"$machine" down far # of a run that was cut short
ok "a machine for one customer is there" "$machine" up far 10.203.1.2 10.203.1.1
ok "... with an nginx" "$machine" edge far
eval "$("$machine" env far | sed 's/export FAIRLEAD_\(DOCKER\|EDGE\|HTTP\|NGINX\|MACHINE\)/far_\1/')"
"$fairlead" plane create ded$tag --mode dedicated --customer "$customer" --recovery-key "$fleet/ded.key" --domain "$FAIRLEAD_ZONE" --public-port "${far_HTTP_PORT:?}" >/dev/null
"$fairlead" node create far$tag --plane ded$tag --roles host,edge,prober --address 10.203.1.2 --cpu 4000 --memory 4096 >/dev/null
on_far() { # COMMAND...: with what its worker goes by
  "$machine" run far env FAIRLEAD_STATE="${far_MACHINE:?}/state" FAIRLEAD_SECRETS="$far_MACHINE/secrets" FAIRLEAD_ENGINE="${far_DOCKER:?}" FAIRLEAD_REGISTRY="$FAIRLEAD_GATE" \
    FAIRLEAD_DNS="$FAIRLEAD_NODES_DNS" FAIRLEAD_ZONE="$FAIRLEAD_ZONE" FAIRLEAD_EDGE_DIR="${far_EDGE_DIR:?}" FAIRLEAD_NGINX_CONF="${far_NGINX_CONF:?}" \
    FAIRLEAD_NGINX_PID="${far_NGINX_PID:?}" FAIRLEAD_HTTP_PORT="$far_HTTP_PORT" "$@"
}
ok "its worker joins" on_far "$BUILD/fairlead-worker" enrol "$("$fairlead" node invite far$tag)"
on_far setsid "$BUILD/fairlead-worker" --roles host,edge,prober run >>"$fleet/far.log" 2>&1 </dev/null &
disown
ok "a customer's own machine is there" town_up
town_env
"$fairlead" plane create own$tag --mode private --customer "$customer" --domain "$FAIRLEAD_ZONE" --public-port "$town_HTTP_PORT" >/dev/null
"$fairlead" node create town$tag --plane own$tag --roles host,edge,prober --address $here --cpu 4000 --memory 4096 >/dev/null
ok "its agent joins" agent enrol "$("$fairlead" node invite town$tag)"
start_agent
ok "both are heard" within 30 bash -c "$(declare -f heard); fairlead='$fairlead'; heard far$tag && heard town$tag"
for plane in ded$tag own$tag; do "$fairlead" size create "$plane/tiny" --cpu 100 --memory 64 --disk 100 >/dev/null; done
"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null

# ---- one life, told without names, numbers and times ----
calm() { sed -E 's/(one|two|three)'"$tag"'/APP/g; s/(main|ded'"$tag"'|own'"$tag"')/PLANE/g; s/(server|slave|far'"$tag"'|town'"$tag"')/NODE/g; s/[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+Z?/TIME/g; s/[0-9a-f]{8}-[0-9a-f-]{27}/ID/g; s/:[0-9]{4,5}\b/:PORT/g'; }
keys() { jq -r 'to_entries[] | "\(.key) \(.value | type)"' | sort; }
act() { # NAME, and what of the answer is the same everywhere
  echo "== $1"
  "$fairlead" instance get "$app" -o json >"$fleet/one.json"
  keys <"$fleet/one.json"
  jq -c '{state, health, app, version, size, plane, tenant, customer}' "$fleet/one.json"
}
life() { # APP PLANE
  app=$1
  "$fairlead" instance create testapp "$app" --plane "$2" --size tiny --wait --timeout 120 >/dev/null && within 20 health_is "$app" ok && act created
  gone_id=$(id "$app")
  api POST "/v1/instances/$gone_id/stop" -H "If-Match: \"0\"" -d '{}'
  api POST "/v1/instances" -d "{\"app\":\"testapp\",\"name\":\"$app\",\"customer\":\"$customer\",\"tenant\":\"desk\",\"plane\":\"$2\",\"size\":\"tiny\"}"
  jq -r .code "$fleet/body"
  "$fairlead" instance stop "$app" --wait --timeout 60 >/dev/null && act stopped
  "$fairlead" instance start "$app" --wait --timeout 90 >/dev/null && within 20 health_is "$app" ok && act started
  "$fairlead" instance extend "$app" --days 2 --wait >/dev/null && act extended
  echo "== steps"
  "$fairlead" instance steps "$app" -o json | jq -r '.[] | "\(.step) \(.state)"' | sort
  "$fairlead" instance delete "$app" --purge --wait --timeout 120 >/dev/null && echo "== deleted"
  sql "select type, count(*) from events where instance_id = '$gone_id' group by 1 order by 1"
  sql "select kind, absent, confirmed, condition from documents where instance_id = '$gone_id' order by 1"
  sql "select i.state, i.gone, t.walk from instances i join intents t on t.instance_id = i.id where i.id = '$gone_id' order by generation"
}
tell() { life "$1" "$2" 2>&1 | calm >"$fleet/life.$1"; grep -q '== deleted' "$fleet/life.$1" || { cat "$fleet/life.$1"; return 1; }; }
ok "an app lives on the shared plane" tell "one$tag" main
ok "one on the dedicated plane" tell "two$tag" "ded$tag"
ok "one on the private plane" tell "three$tag" "own$tag"
ok "what is answered and told of a dedicated one is the same" diff "$fleet/life.one$tag" "$fleet/life.two$tag"
ok "... and of a private one" diff "$fleet/life.one$tag" "$fleet/life.three$tag"
ok "they are on record all the same" sql_is "select count(*) from instances i join tenants t on t.id = i.tenant_id join customers c on c.id = t.customer_id where c.name = '$customer'" 3
"$fairlead" node revoke far$tag >/dev/null
"$fairlead" node revoke town$tag >/dev/null
stop_agent || true
pkill -TERM -f "^$BUILD/fairlead-worker --roles host,edge,prober run" || true
"$machine" down far
"$machine" down town
finish
