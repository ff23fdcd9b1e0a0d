#!/usr/bin/env bash
# One app from request to nothing: the eight steps, stop, start, death, expiry, delete (F1-F8, design section 4).
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
host=app-main-e2e.$FAIRLEAD_ZONE
url=http://$host:$FAIRLEAD_HTTP_PORT
name() { kdig "@${FAIRLEAD_DNS%:*}" -p "${FAIRLEAD_DNS#*:}" "$host" "$1" +short; }
page() { curl -s -m 5 "$url$1"; }
mine() { engine ps -aq --filter "label=fairlead.instance=$hex" "$@"; }
status_is() { [ "$(curl -s -m 5 -o /dev/null -w '%{http_code}' "$url/")" = "$1" ]; }
title='"><script>$HOME${x}'"'"' K'

ok "the app is made and proved (F1-F7)" "$fairlead" instance create testapp app --size tiny --set "title=$title" --wait --timeout 120
id=$("$fairlead" instance get app -o json | jq -r .id)
hex=${id//-/}
ok "its page shows the title as text" has "$(page /)" '&quot;&gt;&lt;script&gt;$HOME${x}&#039; K'
ok "the authoritative server has its name" test "$(name A)" = "$FAIRLEAD_EDGE_ADDRESS"
ok "... with our marker" has "$(name TXT)" "owner=$hex"
ok "its identity comes from the app" has "$(curl -s -D- -o /dev/null "$url/")" X-Fairlead-Identity
ok "its limits are those of the size" test "$(engine inspect "$(mine)" --format '{{.HostConfig.Memory}}')" = $((64 * 1048576))
ok "it has no capability and no new privileges" test "$(engine inspect "$(mine)" --format '{{.HostConfig.CapDrop}}{{.HostConfig.CapAdd}}{{.HostConfig.SecurityOpt}}')" = '[ALL][][no-new-privileges:true]'
ok "it runs the image that was built (S8)" test "$(engine inspect "$(mine)" --format '{{.Image}}')" = "$("$fairlead" instance provenance app -o json | jq -r '.[0].image_id')"
ok "its port is bound to the node's address only" has "$(engine inspect "$(mine)" --format '{{json .HostConfig.PortBindings}}')" '"HostIp":"127.0.0.'
node=$("$fairlead" instance get app -o json | jq -r .node)
ok "the Compose file is committed on the node's branch (F3)" bash -c "git -c safe.directory='*' -C '$fleet/$node/configuration' log -1 --format=%B 'node-$node' -- '$hex' | grep -q 'instance $hex'"
secret=$(cat "$fleet/secrets-$node/$hex/web/token")
ok "its secret is a file of its reader alone" test "$(stat -c %u:%a "$fleet/secrets-$node/$hex/web/token")" = 10901:400
ok "the owner sees it once" has "$("$fairlead" instance credentials app)" "$secret"
ok "the secret is not in the database (P19)" bash -c "set -o pipefail; pg_dump --enable-row-security '$FAIRLEAD_DATABASE_URL' >'$fleet/dump' && ! grep -qF '$secret' '$fleet/dump'"
ok "... not in git, the Compose file or the node's state" bash -c "! grep -rqF '$secret' '$fleet/$node' '$fleet/$node.log' '$fleet/coordinator.log'"
ok "... not in the container's environment" lacks "$(engine inspect "$(mine)")" "$secret"
ok "once confirmed it is gone here" bash -c "'$fairlead' instance credentials app --confirm && ! '$fairlead' instance credentials app | grep -qF '$secret'"
ok "... but sealed to the recovery key" sql_is "select count(*) from recovery_boxes where instance_id = '$id'" 1
ok "a second instance of the image builds nothing (F2)" bash -c "'$fairlead' instance create testapp two --size tiny --wait --timeout 60 && test \"\$('$fairlead' instance steps two -o json | jq -r '.[] | select(.step == \"build\") | .facts.image')\" = \"\$('$fairlead' instance steps app -o json | jq -r '.[] | select(.step == \"build\") | .facts.image')\""
ok "a name that is taken is 409 without saying whose" bash -c "'$fairlead' instance create testapp three --size tiny --host app-main-e2e; test \$? = 3"

ok "a container that dies is started again" bash -c ". '${BASH_SOURCE[0]%/*}/../support/e2e.sh'; engine kill $(mine) && within 20 bash -c 'curl -sf -m 2 $url/healthz'"
boots_alone() { # the worker dies, its container is gone, and the broker does not answer: the node starts it from its own disk
  local broker pid
  broker=$(service_pid kafka)
  pid=$(cat "$fleet/$node.pid")
  kill -9 "$pid"
  engine rm -f "$(mine)" >/dev/null
  kill -STOP "$broker"
  "$root/deploy/dev/fleet" up >/dev/null
  local rc=0
  within 30 bash -c "curl -sf -m 2 $url/healthz" || rc=1
  kill -CONT "$broker"
  return $rc
}
ok "a node starts its stacks from its last healthy documents, without a link" boots_alone
ok "stop keeps the data and says so (503)" bash -c "'$fairlead' instance stop app --wait --timeout 60 && test \"\$(curl -s -o /dev/null -w '%{http_code}' $url/)\" = 503"
ok "... in a plain sentence" has "$(page /)" "This application is stopped."
ok "... and nothing of it runs" test -z "$(mine)"
ok "start brings it back" bash -c "'$fairlead' instance start app --wait --timeout 60 && curl -sf -m 5 $url/healthz"
ok "an unknown name is 421" test "$(curl -s -o /dev/null -w '%{http_code}' "http://nobody.$FAIRLEAD_ZONE:$FAIRLEAD_HTTP_PORT/")" = 421

sql "update installation set clock_offset_us = 31 * 86400 * 1000000::bigint" >/dev/null
ok "a clock that jumps stops nothing: what would is held (P25)" within 20 bash -c "'$fairlead' clock get | grep -q ^held"
ok "... the app runs on" bash -c "curl -sf -m 5 $url/healthz && '$fairlead' instance get app -o json | jq -e '.state == \"running\"'"
ok "... until somebody says that the clock is right" "$fairlead" clock accept
ok "31 days later the trial has ended (F8)" within 30 state_is app suspended
ok "... its name says so" has "$(page /)" "trial of this application has ended"
ok "starting it is refused: extend it first" bash -c "'$fairlead' instance start app; test \$? = 3"
ok "extending wakes it" bash -c "'$fairlead' instance extend app --wait --timeout 60 && curl -sf -m 5 $url/healthz"
end_of() { "$fairlead" instance get app -o json | jq -r '.expires_at // "none"'; }
ok "an end may be moved to sooner" bash -c "'$fairlead' instance extend app --until 2099-12-24 | grep -q '2099-12-24' && '$fairlead' instance extend app --until 2098-01-31 | grep -q '2098-01-31'"
ok "... but not into the past, nor to what is no date" bash -c "for d in 2001-01-01 2099-02-30 soon; do '$fairlead' instance extend app --until \$d && exit 1; test \$? = 3 || exit 1; done"
ok "... and be taken away" "$fairlead" instance extend app --until never
ok "... for good" test "$(end_of)" = none
sql "update installation set clock_offset_us = 0" >/dev/null
ok "the clock jumps back, and is accepted" bash -c ". '${BASH_SOURCE[0]%/*}/../support/e2e.sh'; within 20 bash -c \"'$fairlead' clock get | grep -q ^held\" && '$fairlead' clock accept | grep -q ^good"

ok "a delete without saying that the data may go is refused" bash -c "'$fairlead' instance delete app; test \$? = 3"
ok "with it, all goes" "$fairlead" instance delete app --purge --wait --timeout 60
ok "no container, network or volume is left (P23)" test -z "$(mine)$(engine network ls -q --filter "label=fairlead.instance=$hex")$(engine volume ls -q --filter "label=fairlead.instance=$hex")"
ok "no address is left" test -z "$(name A)"
ok "no route, secret or stack is left" test -z "$(ls -d "$FAIRLEAD_EDGE_DIR/map.d/$host.map" "$fleet/secrets-$node/$hex" "$fleet/$node/stacks/$hex" "$fleet/$node/sealed/$hex" 2>/dev/null)"
ok "the same tenant may have the name again at once" "$fairlead" instance create testapp app --size tiny --wait --timeout 60
ok "... and nobody else while it is held" bash -c "'$fairlead' instance delete app --purge --wait --timeout 60 && '$fairlead' tenant create e2e/other; '$fairlead' instance create testapp x --tenant e2e/other --size tiny --host app-main-e2e; test \$? = 3"
ok "the second is cleaned away" "$fairlead" instance delete two --purge --wait --timeout 60

# F1: the git host is away. What was resolved before serves, because the release's policy says so.
away() {
  mv "$fleet/forks/testapp" "$fleet/forks/testapp.away"
  local rc=0
  "$fairlead" instance create testapp away --size tiny --wait --timeout 150 || rc=1
  mv "$fleet/forks/testapp.away" "$fleet/forks/testapp"
  return $rc
}
ok "an unreachable git host is retried, then the last good image is used (F1)" away
ok "... and it goes again" "$fairlead" instance delete away --purge --wait --timeout 60
# F2: many at once for a key that nobody has built yet.
many() {
  local before after n=6
  mkdir -p "$fleet/many"
  rm -rf "$fleet/many/testapp" && cp -r "$root/tests/e2e/testapp" "$fleet/many/testapp"
  echo "# $(date +%s%N)" >>"$fleet/many/testapp/image/web/Dockerfile"
  "$root/deploy/dev/fork" "$fleet/many/testapp" "$fleet/forks"
  before=$(sql "select count(*) + 1 || '|' || sum(attempt) + 1 from works where kind = 'build'")
  seq "$n" | xargs -P "$n" -I{} "$fairlead" instance create testapp "many{}" --size tiny --wait --timeout 120
  after=$(sql "select count(*) || '|' || sum(attempt) from works where kind = 'build'")
  image=$FAIRLEAD_REGISTRY/$("$fairlead" instance get many1 -o json | jq -r .images.web)
  engine image inspect "$image" >/dev/null || return 1
  "$fairlead" instance stop many1 --wait --timeout 60 >/dev/null # the last to go has no container
  seq 2 "$n" | xargs -P "$n" -I{} "$fairlead" instance delete "many{}" --purge --wait --timeout 90 >/dev/null
  "$fairlead" instance delete many1 --purge --wait --timeout 60 >/dev/null
  "$root/deploy/dev/fork" "$root/tests/e2e/testapp" "$fleet/forks"
  [ "$after" = "$before" ] || { echo "builds and tries: $after, not $before"; return 1; }
}
ok "six at once for a new key make one build (F2)" many
# By the name that a host gave it; what its builder keeps under a tag of its own is the builder's (tests/e2e/machines.sh has a host alone).
ok "the image goes with the last that used it, though that one had been stopped" bash -c "[ '$image' ] && ! docker -H 'unix://$FAIRLEAD_DOCKER' image inspect '$image' >/dev/null 2>&1"

bad=$(date +%s)
ok "a missing ref parks the walk with its reason" bash -c "sed 's/ref: main/ref: gone/; s/version: \"1\"/version: \"0-bad$bad\"/' '$root/tests/e2e/testapp/app.yaml' >'$fleet/bad.yaml' && mkdir -p '$fleet/bad/testapp' && cp '$fleet/bad.yaml' '$fleet/bad/testapp/app.yaml' && cp '$root/tests/e2e/testapp/compose.yaml' '$fleet/bad/testapp/' && '$fairlead' app register '$fleet/bad/testapp' && '$fairlead' instance create testapp bad --size tiny --wait --timeout 60; test \$? = 1"
ok "... the same in SQL" sql_is "select class from stuck_v1 where instance = 'bad' and step = 'resolve'" ref_missing
ok "... in words" has "$(sql "select reason from stuck_v1 where instance = 'bad' and step = 'resolve'")" 'there is no branch, tag or commit "gone"'
ok "what failed can be deleted" "$fairlead" instance delete bad --purge --wait --timeout 60
# The newest release is taken where none is named: this one must not be it.
sql "update releases set created_at = '2000-01-01' where version = '0-bad$bad'" >/dev/null
finish
