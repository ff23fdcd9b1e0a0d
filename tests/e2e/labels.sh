#!/usr/bin/env bash
# Where an app runs: labels of nodes, what an instance requires and prefers, what a plan requires (acceptance 8, 30).
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/instances.sh
. "$root/tests/support/instances.sh"
tag=$(($(date +%s) % 100000))
"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
labels_of() { "$fairlead" node get "$1" -o json | jq -r '.labels | sort | join(",")'; }
ok "a node gets labels" "$fairlead" node labels slave region=eu,disk=ssd
ok "... which show" test "$(labels_of slave)" = disk=ssd,region=eu
for bad in region 'region=EU' 'a=b=c' '=x' 'region=eu;x=y'; do
  ok "\"$bad\" is no label" bash -c "! '$fairlead' node labels slave '$bad' && [ '$(labels_of slave)' = disk=ssd,region=eu ]"
done
ok "nine are too many" bash -c "! '$fairlead' node labels slave a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1"
make() { "$fairlead" instance create testapp "$@" --size tiny >/dev/null; }
problem_is() { [ "$("$fairlead" instance get "$1" -o json | jq -r .problem)" = "$2" ]; }
on() { within 60 state_is "$1" running && [ "$(node "$1")" = "$2" ]; }
make "far$tag" --require region=mars
ok "an instance waits for a node that has what it requires, and says for what" within 20 problem_is "far$tag" "No node of this plane has what is required: region=mars."
ok "a node that gets it" "$fairlead" node labels server region=mars
ok "... has it, by itself" on "far$tag" server
make "like$tag" --prefer region=mars
ok "what is preferred chooses" on "like$tag" server
make "both$tag" --require region=eu --prefer region=mars
ok "... among those that have what is required" on "both$tag" slave
ok "a plan requires for all of its customers" "$fairlead" plan create "p$tag" --require region=eu
"$fairlead" customer create "c$tag" --plan "p$tag" >/dev/null
"$fairlead" tenant create "c$tag/main" >/dev/null
make "plan$tag" --tenant "c$tag/main" --prefer region=mars
on_slave() { within 60 bash -c "[ \"\$('$fairlead' instance get 'plan$tag' --tenant 'c$tag/main' -o json | jq -r '.state + \" \" + .node')\" = 'running slave' ]"; }
ok "... whatever they prefer" on_slave
ok "labels that go take nothing away" bash -c "'$fairlead' node labels slave '' && '$fairlead' node labels server ''"
ok "... what runs there runs on" bash -c ". '$root/tests/support/e2e.sh'; state_is both$tag running && state_is far$tag running"
for name in far like both; do "$fairlead" instance delete "$name$tag" --purge --wait --timeout 120 >/dev/null; done
"$fairlead" instance delete "plan$tag" --tenant "c$tag/main" --purge --wait --timeout 120 >/dev/null
finish
