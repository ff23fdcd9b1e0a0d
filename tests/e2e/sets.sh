#!/usr/bin/env bash
# Two sets of one instance on one host (protocol sections 1 and 7): what is done to the second, nobody sees at the first. No
# walk makes a second one yet, so its document is written here, signed by the coordinator's key. And documents by hand.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/instances.sh
. "$root/tests/support/instances.sh"
"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
ok "an app runs" "$fairlead" instance create testapp twice --size tiny --wait --timeout 120
node=$(node twice) hex=$(hex twice)
state=$fleet/$node
of_set() { engine ps -aq --filter "label=fairlead.instance=$hex" --filter "label=fairlead.set=$1"; }
first() { comm -23 <(container twice | sort) <(of_set b | sort); }
address=$(sql "select address from nodes where name = '$node'")
second() { # REVISION on|off|absent
  "$BUILD/tests/support/second" "$fleet/coordinator/coordinator.keys" "$state" "$hex" store 20999 "$1" "$2"
}
volumes() { engine volume ls -q --filter "label=fairlead.instance=$hex" | sort | sed "s/$hex/X/"; }
secret() { sha256sum <"$fleet/secrets-$node/$hex/web/token"; }
# What one of them answers on its own port, as the edge may ask.
identity_at() { setpriv --reuid www-data --clear-groups curl -sf -m 3 --interface "$FAIRLEAD_EDGE_ADDRESS" -D - -o /dev/null "http://$address:$1/healthz" | tr -d '\r' | sed -n 's/^X-Fairlead-Identity: *//Ip'; }
is_second() { [ "$(identity_at 20999)" = 00000000000000000000000000000002 ]; }
port=$(sql "select port from instances where name = 'twice' and not gone")

before=$(first) identity=$(identity_at "$port") token=$(secret)
ok "the first answers as itself" test -n "$identity"
engine exec "$before" bash -c 'echo mine >/store/value'
ok "a second set is told" second 1 on
ok "... it starts beside the first" within 60 is_second
ok "... which nobody touched" test "$(first)" = "$before"
ok "... and which answers as itself" test "$(identity_at "$port")" = "$identity"
ok "each has a network of its own" test "$(network twice | wc -l)" = 2
ok "... and its own copy of the volume" test "$(volumes)" = "$(printf 'fl-X-store\nfl-X-store.2')"
ok "... so that what the one writes the other does not read" bash -c "! docker -H unix://$FAIRLEAD_DOCKER exec '$(of_set b)' grep -q mine /store/value"
ok "the secret is the instance's" test "$(engine exec "$(of_set b)" sha256sum /run/secrets/token | cut -d' ' -f1)" = "${token%% *}"
ok "its ratchet is its own" test -e "$state/documents/$hex.stack.b.accepted"
ok "... and so is its Compose file" test -e "$state/stacks/$hex.b/compose.yaml"

engine rm -f "$(of_set b)" >/dev/null
ok "a container of the second that is gone is made again" within 58 is_second
ok "... by its letter: the first was not touched" test "$(first)" = "$before"
ok "the second is stopped" second 2 off
ok "... and gone" within 60 bash -c "[ -z \"\$(docker -H unix://$FAIRLEAD_DOCKER ps -aq --filter label=fairlead.instance=$hex --filter label=fairlead.set=b)\" ]"
ok "... the first has its secret still" test "$(secret)" = "$token"

# By hand: the step of a document, without its worker.
step() { FAIRLEAD_STATE=$state FAIRLEAD_SECRETS=$fleet/secrets-$node "$BUILD/fairlead-worker" --roles host step "$@" >"$fleet/step.out" 2>&1; }
ok "a document is looked at by hand, beside the worker" step look "$hex.stack"
ok "... and says what it saw" grep -q '^look: as it should be' "$fleet/step.out"
refused() { ! step "${@:2}" && grep -q "$1" "$fleet/step.out"; }
ok "... which acts alone" refused 'another worker runs' run "$hex.stack"
ok "... one that is not there is refused in words" refused 'holds no document' look "$hex.nothing"
ok "... and a path is none" refused 'not a path' look "../$hex.stack"

ok "the second is taken away for good" second 3 absent
ok "... its copy goes" within 60 bash -c "[ \"\$(docker -H unix://$FAIRLEAD_DOCKER volume ls -q --filter label=fairlead.instance=$hex)\" = fl-$hex-store ]"
ok "... and its folder" within 20 bash -c "! [ -e '$state/stacks/$hex.b' ]"
ok "... the first runs with its data" bash -c "[ \"\$(docker -H unix://$FAIRLEAD_DOCKER exec '$before' cat /store/value)\" = mine ]"
ok "... and its secret" test "$(secret)" = "$token"
engine exec "$before" bash -c 'echo seed >/store/value'
ok "the instance never was anything but running and well" within 60 health_is twice ok
"$fairlead" instance delete twice --purge --wait --timeout 90 >/dev/null
ok "deleted, nothing of either is left" test -z "$(container twice)$(engine volume ls -q --filter "label=fairlead.instance=$hex")"
finish
