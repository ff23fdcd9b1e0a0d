# Knot: authoritative DNS for one zone that takes RFC 2136 updates signed with a TSIG key.
# The zone lives in Knot's journal only: a zone file would be loaded over the dynamic records at the next start.
# shellcheck shell=bash disable=SC2034,SC2154
dns_port=${FAIRLEAD_DNS_PORT:-15353}
dns_second_port=$((dns_port + 1)) # told of changes, where one is: tests/e2e/names.sh
dns_zone=apps.localhost
dns_dir=$(place dns root /knot.sock)
dns_key=$dns_dir/tsig.key
dns_log=$dns_dir/knot.log
dns_pidfile=$dns_dir/pid
dns_programs='knotd:knot knotc:knot kdig:knot-dnsutils'

# Also where other machines reach us: whoever proves an app there asks it.
dns_listens() { printf '[127.0.0.1@%s' "$dns_port"; [ "$nodes_ip" = 127.0.0.1 ] || printf ', %s@%s' "$nodes_ip" "$dns_port"; printf ']'; }
dns_control() { knotc -s "$dns_dir/knot.sock" "$@"; }

dns_up() {
  install -d -m 0700 "$dns_dir" "$dns_dir/db"
  if [ ! -s "$dns_key" ]; then
    (umask 077 && echo "hmac-sha256:fairlead:$(head -c 32 /dev/urandom | base64)" >"$dns_key.new")
    mv "$dns_key.new" "$dns_key"
  fi
  (umask 077 && cat >"$dns_dir/knot.conf") <<EOF
server:
    listen: $(dns_listens)
    rundir: "$dns_dir"
    pidfile: "$dns_dir/knot.pid"
control:
    listen: "$dns_dir/knot.sock"
log:
  - target: stderr
    any: info
database:
    storage: "$dns_dir/db"
key:
  - id: fairlead
    algorithm: hmac-sha256
    secret: $(cut -d: -f3 "$dns_key")
remote:
  - id: second
    address: 127.0.0.1@$dns_second_port
    key: fairlead
acl:
  - id: worker
    address: 127.0.0.0/8
    key: fairlead
    action: [update, query, transfer]
zone:
  - domain: $dns_zone
    storage: "$dns_dir/db"
    acl: worker
    notify: second
    journal-content: all
    zonefile-load: none
    zonefile-sync: -1
EOF
  rm -f "$dns_dir/knot.pid" # knotd would not start while a killed one is not reaped
  spawn dns knotd -c "$dns_dir/knot.conf"
}

dns_soa() { kdig @127.0.0.1 -p "$dns_port" +short +time=1 +retry=0 "$dns_zone" SOA 2>/dev/null; }

dns_ready() { [ -n "$(pid_of dns)" ] && dns_control status >/dev/null 2>&1; }

# Without a zone file and a journal the zone does not exist (SERVFAIL) until a transaction makes it.
dns_after() {
  local end=$((SECONDS + deadline)) try
  for try in 1 2 3 4 5; do
    [ -z "$(dns_soa)" ] || return 0
    [ "$try" = 1 ] || sleep 0.2 # its journal may still be loading
  done
  {
    dns_control zone-abort "$dns_zone" || true # what an interrupted `up` left open
    dns_control zone-begin "$dns_zone" &&
      dns_control zone-set "$dns_zone" @ 60 SOA "ns.$dns_zone." "hostmaster.$dns_zone." 1 3600 600 86400 5 &&
      dns_control zone-set "$dns_zone" @ 3600 NS "ns.$dns_zone." &&
      dns_control zone-set "$dns_zone" ns 3600 A 127.0.0.1 &&
      dns_control zone-commit "$dns_zone"
  } >>"$dns_log" 2>&1 || failed dns "could not make the zone $dns_zone"
  until [ -n "$(dns_soa)" ]; do
    [ $SECONDS -lt $end ] || failed dns "does not serve $dns_zone"
    sleep 0.1
  done
}

dns_down() { stop dns; }
dns_address() { echo "127.0.0.1:$dns_port $dns_zone"; }
dns_env() {
  export_line FAIRLEAD_DNS "127.0.0.1:$dns_port"
  export_line FAIRLEAD_DNS_KEY_FILE "$dns_key"
  export_line FAIRLEAD_NODES_DNS "$nodes_ip:$dns_port"
  export_line FAIRLEAD_ZONE "$dns_zone"
}
