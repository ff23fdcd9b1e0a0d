#!/usr/bin/env bash
# Walls, tried from inside containers: between two customers who call all by the same names, and between an app and what it runs
# on (P11, design section 6). Each that must fail has a twin that must not.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/instances.sh
. "$root/tests/support/instances.sh"
# shellcheck source=../support/processes.sh
. "$root/tests/support/processes.sh"
tag=$(($(date +%s) % 100000))
one=wall$tag other=well$tag
listeners=()
stop() {
  [ ${#listeners[@]} = 0 ] || kill "${listeners[@]}" 2>/dev/null || true
  ip link delete wall$tag 2>/dev/null || true
}
trap stop EXIT
"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
for customer in $one $other; do
  "$fairlead" customer create "$customer" --plan trial >/dev/null
  "$fairlead" tenant create "$customer/office" >/dev/null
  ok "customer $customer has an app \"same\" in a tenant \"office\"" env FAIRLEAD_TENANT="$customer/office" "$fairlead" instance create testapp same --size tiny --wait --timeout 180
done
of() { sql "select replace(i.id::text, '-', '') from instances i join customers c on c.id = i.customer_id where c.name = '$1' and i.name = 'same'"; }
box() { engine ps -q --filter "label=fairlead.instance=$(of "$1")"; }
mine=$(box $one) theirs=$(box $other)
look() { engine inspect -f "$2" "$1"; }
ip_of() { look "$1" '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}'; }
gateway=$(look "$mine" '{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}')
reaches() { engine exec "$1" timeout 3 bash -c "exec 3<>/dev/tcp/$2/$3"; }
reaches_not() { ! reaches "$@" || { echo "it does"; return 1; }; }
differ() { [ "$(look "$mine" "$1")" != "$(look "$theirs" "$1")" ]; }

# ---- two customers, the same names ----
ok "their networks are two" differ '{{range $k, $v := .NetworkSettings.Networks}}{{$v.NetworkID}} {{end}}'
ok "... their volumes" differ '{{range .Mounts}}{{.Name}}{{end}}'
ok "... their projects" differ '{{index .Config.Labels "com.docker.compose.project"}}'
ok "... and what they are told" differ '{{.Config.Env}}'
engine exec "$mine" bash -c 'echo private >/store/wall'
ok "what one writes is there" engine exec "$mine" test -e /store/wall
ok "... and not at the other's" bash -c "! docker -H 'unix://$FAIRLEAD_DOCKER' exec '$theirs' test -e /store/wall"
ok "an app reaches itself" reaches "$mine" "$(ip_of "$mine")" 8080
ok "... not the other" reaches_not "$mine" "$(ip_of "$theirs")" 8080
port() { sql "select port from instances where id = '$(of "$1")'"; }
at() { sql "select n.address from instances i join nodes n on n.id = i.node_id where i.id = '$(of "$1")'"; }
case $(at $other) in
127.*) ;; # to a container that would be itself
*) ok "... nor by its port" reaches_not "$mine" "$(at $other)" "$(port $other)" ;;
esac
ok "no name of the other is known" bash -c "! docker -H 'unix://$FAIRLEAD_DOCKER' exec '$mine' grep -q 'office-$other' /etc/hosts"

# ---- an app and its host ----
listen() { # PORT [COMMAND...]: takes one connection after another, on all addresses
  local port=$1
  shift
  "$@" perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(LocalPort => shift, Listen => 5, ReuseAddr => 1) or die "$!"; while (my $c = $s->accept) { close $c }' "$port" >/dev/null 2>&1 &
  listeners+=($!)
}
listen 17999
connects() { timeout 3 bash -c "exec 3<>/dev/tcp/$1/$2"; }
ok "somebody listens on all addresses of the host" within 10 connects "$gateway" 17999
ok "... and no app reaches it" reaches_not "$mine" "$gateway" 17999
brokers=$(jq -r .brokers "$fleet/server/node.json")
ok "... nor Kafka, where nodes reach it" reaches_not "$mine" "${brokers%%:*}" "${brokers##*:}"
case $FAIRLEAD_EDGE_ADDRESS in
127.*) ;; # to a container that would be itself
*) ok "its edge it reaches" reaches "$mine" "$FAIRLEAD_EDGE_ADDRESS" "$FAIRLEAD_HTTP_PORT" ;;
esac

# ---- other networks: one that is closed, one that is not, behind the same wire ----
listen 17998 unshare --net -- # on what will be its addresses
beyond=${listeners[-1]}
elsewhere() { nsenter -t "$beyond" --net -- "$@"; }
apart() { [ "$(readlink "/proc/$beyond/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
within 10 apart
ip link add wall$tag type veth peer name far netns "$beyond"
for net in 169.254.77 198.51.100; do
  ip addr add $net.1/30 dev wall$tag
  elsewhere ip addr add $net.2/30 dev far
done
ip link set wall$tag up
elsewhere ip link set far up
elsewhere ip route add default via 198.51.100.1
ok "from here both are reached" bash -c "$(declare -f connects within); within 10 connects 198.51.100.2 17998 && connects 169.254.77.2 17998"
ok "an app reaches what is open" reaches "$mine" 198.51.100.2 17998
ok "... and nothing that is link-local" reaches_not "$mine" 169.254.77.2 17998
on=$(sql "select n.name from instances i join nodes n on n.id = i.node_id where i.id = '$(of $one)'")
roles=$(sql "select array_to_string(roles, ',') from nodes where name = '$on'")
again() { # CLOSED_NETWORKS
  kill -9 "$(cat "$fleet/$on.pid")"
  FAIRLEAD_CLOSED_NETWORKS=$1 start_worker "$on" "$roles" ""
}
again "169.254.0.0/16, 198.51.100.2"
ok "what the node's operator closes is closed" within 60 reaches_not "$mine" 198.51.100.2 17998
again "169.254.0.0/16"
ok "... and open again" within 60 reaches "$mine" 198.51.100.2 17998
# By hand: drift, put right in a minute.
# Both nodes of this fleet are on one machine: each has a table, and each keeps all apps from it.
open_by_hand() {
  local node
  for node in $(sql "select replace(id::text, '-', '') from nodes where name in ('server', 'slave')"); do
    nft flush chain ip "fairlead_${node:18:8}" app_in 2>/dev/null || true
  done
  reaches "$mine" "$gateway" 17999
}
ok "somebody opens the host by hand" open_by_hand
ok "... and it is closed again" within 60 reaches_not "$mine" "$gateway" 17999

for customer in $one $other; do FAIRLEAD_TENANT=$customer/office "$fairlead" instance delete same --purge --wait --timeout 120 >/dev/null; done
finish
