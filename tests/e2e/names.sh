#!/usr/bin/env bash
# A second name server, as docs/DNS.md has it: it is told of each change, takes none itself, and serves when the first is gone.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/instances.sh
. "$root/tests/support/instances.sh"
tag=$(($(date +%s) % 100000))
dir=$fleet/second && rm -rf "$dir" && install -d -m 0700 "$dir" "$dir/db"
port=$((${FAIRLEAD_DNS##*:} + 1)) # that the first one tells
key=$(cut -d: -f3 "$FAIRLEAD_DNS_KEY_FILE")
(umask 077 && cat >"$dir/knot.conf") <<CONF
server:
    listen: 127.0.0.1@$port
    rundir: "$dir"
    pidfile: "$dir/pid"
control:
    listen: "$dir/s"
log:
  - target: stderr
    any: info
database:
    storage: "$dir/db"
key:
  - id: fairlead
    algorithm: hmac-sha256
    secret: $key
remote:
  - id: first
    address: 127.0.0.1@${FAIRLEAD_DNS##*:}
    key: fairlead
acl:
  - id: first
    address: 127.0.0.1
    key: fairlead
    action: notify
zone:
  - domain: $FAIRLEAD_ZONE
    storage: "$dir/db"
    master: first
    acl: first
CONF
knotd -c "$dir/knot.conf" >"$dir/log" 2>&1 &
second=$!
trap 'kill $second 2>/dev/null || true' EXIT
ask() { kdig @127.0.0.1 -p "$port" +short +time=2 +retry=0 "$@"; }
ask_first() { kdig @127.0.0.1 -p "${FAIRLEAD_DNS##*:}" +short +time=2 +retry=0 "$@"; }
serves_zone() { [ -n "$(ask "$FAIRLEAD_ZONE" SOA)" ]; }
same() { [ "$(ask "$FAIRLEAD_ZONE" SOA)" = "$(ask_first "$FAIRLEAD_ZONE" SOA)" ]; }
is_at() { [ "$(ask "$(host "$1")" A)" = "$2" ]; }
ok "a second server takes the zone from the first" within 20 serves_zone
"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
ok "an app gets its name" "$fairlead" instance create testapp "two$tag" --size tiny --wait --timeout 120
ok "... which the second one has, too" within 10 is_at "two$tag" "$FAIRLEAD_EDGE_ADDRESS"
ok "... and they are at one" within 10 same
ok "it answers with authority" bash -c "kdig @127.0.0.1 -p $port $(host "two$tag") A | grep -q 'Flags: qr aa'"
refuses() { ! { printf 'server 127.0.0.1 %s\nkey hmac-sha256:fairlead %s\nzone %s\nupdate add bad.%s 60 A 192.0.2.1\nsend\n' "$port" "$key" "$FAIRLEAD_ZONE" "$FAIRLEAD_ZONE" | knsupdate; } >/dev/null 2>&1 && [ -z "$(ask "bad.$FAIRLEAD_ZONE" A)" ]; }
ok "nobody changes anything there, with the key either" refuses
first=$(service_pid dns)
kill -STOP "$first"
mute() { [ -z "$(ask_first "$FAIRLEAD_ZONE" SOA 2>/dev/null)" ]; }
ok "where the first one says nothing" mute
ok "... the second one has every name" is_at "two$tag" "$FAIRLEAD_EDGE_ADDRESS"
kill -CONT "$first"
ok "an app is deleted" "$fairlead" instance delete "two$tag" --purge --wait --timeout 120
ok "... its name is gone from both" within 20 is_at "two$tag" ""
finish
