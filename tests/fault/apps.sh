#!/usr/bin/env bash
# The two real apps go through one kill per step each (make check-fault): made, killed at, and there all the same.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/processes.sh
. "$root/tests/support/processes.sh"
# shellcheck source=../support/instances.sh
. "$root/tests/support/instances.sh"
tag=$(($(date +%s) % 10000))
worker_of() { case $1 in stack.*) echo slave ;; *) echo server ;; esac; }
shows() { curl -sf -m 5 -o /dev/null "http://$(host "$1"):$FAIRLEAD_HTTP_PORT/"; }
survives() { # APP NAME POINT
  local worker pid
  worker=$(worker_of "$3")
  restart "$worker" "$3:kill"
  pid=$(cat "$fleet/$worker.pid")
  # shellcheck disable=SC2046
  "$fairlead" instance create "$1" "$2" --size small $([ "$1" != wordpress ] || echo --set title=Kill --set mail=a@b.example) >/dev/null || return 1
  within 300 gone "$pid" || { echo "$3 was not reached"; return 1; }
  restart "$worker" ''
  within 300 state_is "$2" running && within 10 shows "$2" && "$fairlead" instance delete "$2" --purge --wait --timeout 90
}
# A version that follows its fork: each create resolves, and builds what is new.
for app in wordpress postgresql; do
  rm -rf "${fleet:?}/follows/$app" && mkdir -p "$fleet/follows" && cp -r "$root/catalog/$app" "$fleet/follows/$app"
  sed -i "s/^version: .*/version: \"follows-$tag\"/; s/^    ref: main/&\n    follow: true/" "$fleet/follows/$app/app.yaml"
  "$fairlead" app register "$fleet/follows/$app" >/dev/null
done
sql "update nodes set roles = array_remove(roles, 'host') where name = 'server'" >/dev/null
n=0
for app in wordpress postgresql; do
  for point in resolve.fetched build.built name.sent stack.up route.reloaded verify.fetched; do
    [ "$point" != build.built ] || new_source "$root/catalog/$app"
    ok "$app is killed at $point, and serves" survives "$app" "a$tag-$n" "$point"
    n=$((n + 1))
  done
  "$root/deploy/dev/fork" "$root/catalog/$app" "$fleet/forks"
done
sql "update nodes set roles = '{builder,host,edge,dns,prober}' where name = 'server'" >/dev/null
restart server ''
restart slave ''
finish
