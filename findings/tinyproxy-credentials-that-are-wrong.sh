#!/usr/bin/env bash
# tinyproxy 1.11.1 (Debian 12): credentials of a proxy that are wrong.
# guess:     a proxy that wants credentials answers 407 where there are none and where they are wrong (RFC 9110, section 15.5.8): a client
#            that was refused can tell the proxy's word from the server's behind it.
# behaviour: without credentials 407; with wrong ones 401, as a server would say. Over CONNECT nothing of a server can have
#            been asked yet, so 401 means the proxy, too. Whoever asks for credentials again on 407 only never does.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
unpack tinyproxy-bin=1.11.1-2.1+deb12u1
printf 'Port 18997\nListen 127.0.0.1\nTimeout 30\nMaxClients 5\nBasicAuth town mouse\nConnectPort 18996\n' >"$work/conf"
"$work/root/usr/bin/tinyproxy" -d -c "$work/conf" >"$work/log" 2>&1 &
started+=($!)
listens() { : <>/dev/tcp/127.0.0.1/18997; }
within 10 listens
connects() { # CURL_ARGUMENT...: the status of CONNECT
  curl -s -o /dev/null -w '%{http_connect}' -p -x http://127.0.0.1:18997 "$@" http://127.0.0.1:18996/ || true
}
seen 407 "$(connects)"
seen 401 "$(connects -U town:cat)"
