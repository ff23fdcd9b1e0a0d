#!/usr/bin/env bash
# Knot DNS 3.2.6 (Debian 12): a dynamic update (RFC 2136) for a name below a delegation of the zone.
# guess:     it is refused (NOTZONE, REFUSED): the names below belong to another server.
# behaviour: NOERROR, each time. The record is in the zone (a transfer shows it) and no query ever gets it: the answer is the
#            referral. Who waits until a name that was written can be read waits for ever; look at the authority section, a
#            referral without the AA flag says it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
unpack knot=3.2.6-1 knot-dnsutils=3.2.6-1 libknot13=3.2.6-1 libdnssec9=3.2.6-1 libzscanner4=3.2.6-1
cat >"$work/knot.conf" <<CONF
server:
    listen: 127.0.0.1@18953
    rundir: $work
database:
    storage: $work/db
acl:
  - id: here
    address: 127.0.0.1
    action: [update, transfer]
zone:
  - domain: example
    storage: $work
    file: example.zone
    acl: here
CONF
mkdir "$work/db"
printf '@ 60 SOA ns hostmaster 1 3600 600 86400 60\n@ 60 NS ns\nns 60 A 127.0.0.1\nbelow 60 NS ns.elsewhere.test.\n' >"$work/example.zone"
"$work/root/usr/sbin/knotd" -c "$work/knot.conf" >"$work/log" 2>&1 &
started+=($!)
kdig() { "$work/root/usr/bin/kdig" @127.0.0.1 -p 18953 +noall "$@"; }
within 10 bash -c "'$work/root/usr/bin/kdig' @127.0.0.1 -p 18953 example SOA +short | grep -q hostmaster"
printf 'server 127.0.0.1 18953\nzone example.\nupdate add app.below.example. 60 A 192.0.2.1\nsend\nanswer\n' >"$work/update"
seen NOERROR "$("$work/root/usr/bin/knsupdate" "$work/update" | sed -n 's/.*status: \([A-Z]*\);.*/\1/p' | head -n 1)"
seen "app.below.example. 60 IN A 192.0.2.1" "$(kdig example AXFR +answer | grep '^app' | tr -s '\t ' ' ')"
seen "" "$(kdig app.below.example A +answer)"
seen "below.example. 60 IN NS ns.elsewhere.test." "$(kdig app.below.example A +authority | tr -s '\t ' ' ')"
seen 1 "$(kdig example SOA +header | grep -c ' aa')"
seen 0 "$(kdig app.below.example A +header | grep -c ' aa')"
