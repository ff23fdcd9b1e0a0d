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
paper() { "$BUILD/tests/support/paper" "$fleet/coordinator/coordinator.keys" "$state" "$hex" "$@"; }
second() { paper "$1" set store 20999 "$2"; } # REVISION on|off|absent
volumes() { engine volume ls -q --filter "label=fairlead.instance=$hex" | sort | sed "s/$hex/X/"; }
secret() { sha256sum <"$fleet/secrets-$node/$hex/web/token"; }
# What one of them answers on its own port, as the edge may ask.
identity_at() { setpriv --reuid www-data --clear-groups curl -sf -m 3 --interface "$FAIRLEAD_EDGE_ADDRESS" -D - -o /dev/null "http://$address:$1/healthz" | tr -d '\r' | sed -n 's/^X-Fairlead-Identity: *//Ip'; }
is_second() { [ "$(identity_at 20999)" = 00000000000000000000000000000002 ]; }
port=$(sql "select port from instances where name = 'twice' and not gone")
# The sums that are kept are what a count says: of each node, and of each customer.
counted="select s.node_id, sum(i.cpu_milli), sum(i.memory_mb), sum(i.disk_mb), range_agg(int8range(s.port, s.port + 1))
  from sets s join instances i on i.tenant_id = s.tenant_id and i.id = s.instance_id where s.state = 'placed' group by 1"
kept="select node_id, cpu_milli, memory_mb, disk_mb, ports from reservations where memory_mb <> 0 or ports <> '{}'"
used="select customer_id, count(*), sum(memory_mb)::bigint from instances where not gone group by 1"
sums_are_counted() {
  sql_is "select count(*) from (($counted) except ($kept)) x" 0 && sql_is "select count(*) from (($kept) except ($counted)) x" 0 &&
    sql_is "select count(*) from (($used) except (select customer_id, instances, memory_mb from usages)) x" 0 &&
    sql_is "select count(*) from ((select customer_id, instances, memory_mb from usages where instances <> 0) except ($used)) x" 0
}
ok "what is reserved and used is the sum of what is there" sums_are_counted

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

# Work that happens once, and a certificate: no walk writes them yet.
task=$state/tasks/0a000000000000000000000000000000.json
ok "a task is told" paper 1 task 0a000000000000000000000000000000 60 on
ok "... begun, and ended" within 30 grep -q '"end":"ok"' "$task"
ended=$(cat "$task")
paper 2 task 0a000000000000000000000000000000 60 on
ok "... once: told again, it is reached" within 30 grep -q "document=.$hex.task. .*revision=2" "$fleet/$node.log"
ok "... and its marker stays as it was" test "$(cat "$task")" = "$ended"
ok "one that comes too late" paper 3 task 0b000000000000000000000000000000 -5 on
ok "... is refused, and not begun" within 30 grep -q 'came too late and was not begun' "$fleet/$node.log"
ok "... nothing of it is left" bash -c "! [ -e '$state/tasks/0b000000000000000000000000000000.json' ]"
# What no row knows would make the node doubt, in time, whether it is told all.
ok "a task is taken away, with its marker" bash -c "$(declare -f paper); BUILD='$BUILD' fleet='$fleet' state='$state' hex='$hex'; paper 4 task 0a000000000000000000000000000000 60 absent && for i in \$(seq 300); do [ -e '$task' ] || exit 0; read -r -t 0.1 <> <(:) || true; done; exit 1"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj / -addext "subjectAltName=DNS:twice.example" \
  -keyout "$fleet/twice.key" -out "$fleet/twice.pem" 2>/dev/null
key=$(openssl pkey -in "$fleet/twice.key" -pubout -outform DER | sha256sum | cut -d' ' -f1)
ok "a certificate is told" paper 1 certificate twice.example "$key" "$fleet/twice.pem" on
ok "... and kept for its key" within 30 cmp "$fleet/twice.pem" "$state/certificates/$key.pem"
ok "one for another name" paper 2 certificate other.example "$key" "$fleet/twice.pem" on
ok "... is refused in words, and the one before stays" within 30 grep -q 'not good for .*other.example' "$fleet/$node.log"
ok "... as it was" cmp "$fleet/twice.pem" "$state/certificates/$key.pem"
ok "taken away" paper 3 certificate twice.example "$key" "$fleet/twice.pem" absent
ok "... it is gone" within 30 bash -c "! [ -e '$state/certificates/$key.pem' ]"

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
# What its host said of the second, which no row knows, is kept as strangers' records are.
"$fairlead" dead-letter list -o json | jq -r '.[] | select(.reason | test("not the node")) | .id' | xargs -rn1 "$fairlead" dead-letter drop
"$fairlead" instance delete twice --purge --wait --timeout 90 >/dev/null
ok "deleted, nothing of either is left" test -z "$(container twice)$(engine volume ls -q --filter "label=fairlead.instance=$hex")"
ok "... and nothing is reserved or used for it" sums_are_counted
finish
