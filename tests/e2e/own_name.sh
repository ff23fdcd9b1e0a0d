#!/usr/bin/env bash
# An app reaches itself under its public name, as sign-in and webhooks do, through the edge. Only where the edge has an address
# that is not loopback: to a container that would be itself (tests/e2e/run gives the second hand such an address).
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/instances.sh
. "$root/tests/support/instances.sh"
case $FAIRLEAD_EDGE_ADDRESS in 127.*) ok "the edge has an address of its own: nothing to try here" true; finish; exit ;; esac
"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
ok "an app runs behind an edge at $FAIRLEAD_EDGE_ADDRESS" "$fairlead" instance create testapp own --size tiny --wait --timeout 120
ok "its name leads to the edge, in its container" has "$(engine exec "$(container own)" cat /etc/hosts)" "$FAIRLEAD_EDGE_ADDRESS	$(host own)"
fetch() { # HOST: what the app of "own" gets from there
  engine exec "$(container own)" timeout 5 bash -c "exec 3<>/dev/tcp/$1/$FAIRLEAD_HTTP_PORT && printf 'GET /healthz HTTP/1.1\r\nHost: $1\r\nConnection: close\r\n\r\n' >&3 && cat <&3"
}
ok "it reaches itself there, through the edge" has "$(fetch "$(host own)")" "identity $(engine inspect -f '{{index .Config.Labels "fairlead.identity"}}' "$(container own)")"
ok "a second one" "$fairlead" instance create testapp other --size tiny --wait --timeout 120
ok "... is not in its list of names" lacks "$(engine exec "$(container own)" cat /etc/hosts)" "$(host other)"
for name in own other; do "$fairlead" instance delete "$name" --purge --wait --timeout 90 >/dev/null; done
finish
