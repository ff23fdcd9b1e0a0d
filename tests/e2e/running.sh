#!/usr/bin/env bash
# What an app meets on its host and its edge: networks beyond the Engine's own pools, time to end, limits of its log, long
# headers, and labels that say whose it is.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/instances.sh
. "$root/tests/support/instances.sh"
tag=$(($(date +%s) % 100000))
mapfile -t made < <(seq -f "fairlead-full-$tag-%g" 40)
end() {
  engine network rm "${made[@]}" >/dev/null 2>&1 || true
  for name in "net$tag" "slow$tag" "disk$tag"; do "$fairlead" instance delete "$name" --purge --wait --timeout 90 >/dev/null 2>&1 || true; done
}
trap end EXIT
rm -rf "$fleet/slow" && mkdir -p "$fleet/slow" && cp -r "$root/tests/e2e/testapp" "$fleet/slow/testapp"
sed -i "s/version: \"1\"/version: \"0-slow$tag\"/" "$fleet/slow/testapp/app.yaml"
sed -i 's/stop_grace_period: .*/stop_grace_period: 30s/; s/^      TITLE: .*/&\n      SLOW_END: "22"/' "$fleet/slow/testapp/compose.yaml"

# ---- networks ----
for name in "${made[@]}"; do engine network create "$name" >/dev/null 2>&1 || break; done
ok "the Engine has no network left of its own" bash -c "! docker -H 'unix://$FAIRLEAD_DOCKER' network create fairlead-one-more-$tag"
"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
ok "an app is made all the same" "$fairlead" instance create testapp "net$tag" --version 1 --size tiny --wait --timeout 180
subnet() { engine network inspect "$(network "net$tag")" -f '{{(index .IPAM.Config 0).Subnet}}'; }
ok "... in a network of fourteen addresses, of the worker's range" bash -c "[[ $(subnet) =~ ^10\.21[2-5]\..*/28$ ]]"
inspect() { engine inspect "$(container "net$tag")" -f "$1"; }
ok "its log has a limit, whatever the Engine's settings" test "$(inspect '{{index .HostConfig.LogConfig.Config "max-size"}}')" = 10m
ok "its container says whose it is" test "$(inspect '{{index .Config.Labels "fairlead.name"}} {{index .Config.Labels "fairlead.host"}}')" = "net$tag $(host "net$tag")"

# ---- headers ----
url=http://$(host "net$tag"):$FAIRLEAD_HTTP_PORT
cookies() { printf 'Cookie: a=%s' "$(head -c "$1" /dev/zero | tr '\0' c)"; }
ok "20 KB of cookies reach the app" bash -c "[ \"\$(curl -sf -m 5 -H '$(cookies 20000)' $url/headers)\" -gt 20000 ]"
ok "an address of 20 KB, too" bash -c "[ \"\$(curl -sf -m 5 '$url/headers?$(head -c 20000 /dev/zero | tr '\0' q)')\" -gt 20000 ]"
ok "20 KB of headers come back" bash -c "curl -sf -m 5 -D- $url/long | grep -qE '^X-Long: x{20000}'"
refused() { [ "$(curl -s -m 5 -o "$fleet/body" -w '%{http_code}' "${@:2}")" = "$1" ]; }
ok "more than that is refused in a sentence that is true" bash -c "$(declare -f refused); fleet='$fleet'; refused 431 -H '$(cookies 40000)' $url/ && grep -q 'longer than 32 KB' '$fleet/body'"
ok "... and so is an upload beyond the limit" bash -c "$(declare -f refused); fleet='$fleet'; refused 413 -X POST -H 'Content-Length: 600000000' -H 'Expect:' -d x $url/ && grep -q 'larger than 512 MB' '$fleet/body'"

# ---- disk ----
# A size's disk is no limit: it is measured, and told in time.
size=cramped$tag
"$fairlead" size create "main/$size" --cpu 200 --memory 64 --disk 20 >/dev/null
"$fairlead" instance create testapp "disk$tag" --version 1 --size "$size" --wait --timeout 180 >/dev/null
fill() { engine exec "$(container "disk$tag")" dd if=/dev/zero of="/store/$1" bs=1M count="$2" 2>&1; }
used() { "$fairlead" instance get "disk$tag" -o json | jq -e ".disk_used_mb $1"; }
told() { sql_is "select count(*) from events e join instances i on i.id = e.instance_id where i.name = 'disk$tag' and e.type = 'disk_filling'" 1; }
ok "what an app's volumes take is measured" within 60 used '>= 1'
fill one 17 >/dev/null
ok "four fifths of its size are told" within 60 told
ok "... and nothing is wrong yet" health_is "disk$tag" ok
ok "... but the doctor names it" bash -c "'$fairlead' doctor | grep -q 'disk$tag of e2e'"
fill two 8 >/dev/null
ok "more than its size is degraded" within 60 health_is "disk$tag" degraded
ok "... with the reason" has "$("$fairlead" instance get "disk$tag" -o json | jq -r .health_reason)" "more than the 20 MB of its size"
engine exec "$(container "disk$tag")" rm /store/one /store/two
ok "... until there is room again" within 60 health_is "disk$tag" ok

# ---- time to end ----
"$fairlead" app register "$fleet/slow/testapp" >/dev/null
"$fairlead" instance create testapp "slow$tag" --version "0-slow$tag" --size tiny --wait --timeout 180 >/dev/null
volume=fl-$(hex "slow$tag")-store
ended() { cat "$(engine volume inspect "$volume" -f "{{.Mountpoint}}")/ended"; }
# Twenty seconds were all that there was, whatever the release asked for.
ok "an app that needs 22 s to end is given them" bash -c "'$fairlead' instance stop 'slow$tag' --wait --timeout 90"
ok "... and ended in order" bash -c "$(declare -f ended engine); FAIRLEAD_DOCKER='$FAIRLEAD_DOCKER'; volume='$volume'; ended | grep -q 'in order'"
finish
