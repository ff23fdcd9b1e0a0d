#!/usr/bin/env bash
# What a builder gives to builds where the outside is reached by a proxy, with an authority of one's own: real ones, and a build
# that uses both. Only where builds reach this machine by an address that is not loopback (tests/e2e/run, second hand).
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/instances.sh
. "$root/tests/support/instances.sh"
# shellcheck source=../support/processes.sh
. "$root/tests/support/processes.sh"
address=$FAIRLEAD_EDGE_ADDRESS
case $address in 127.*) ok "builds reach nothing here: nothing to try" true; finish; exit ;; esac
# A git host that takes connections and never speaks.
perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 9, LocalAddr => $ARGV[0], ReuseAddr => 1) or die; push @c, $s->accept while 1' "$address:18889" &
silent=$!
mute=$fleet/fresh/mute
rm -rf "$mute" && mkdir -p "$fleet/fresh" && cp -r "$root/tests/e2e/testapp" "$mute"
sed -i "s/^title: .*/title: Mute/; s/ follow: true,//; s|repository: testapp|repository: \"https://$address:18889/mute\"|" "$mute/app.yaml"
"$fairlead" app register "$mute" >/dev/null
is_told() { "$fairlead" app sources mute/1 -o json | jq -e '.[0].problem | test("did not end within 20 s")'; }
ok "a git host that never speaks is left after 20 s, and told as such" within 60 is_told
ok "... also to who waits for the release" bash -c "'$fairlead' app register '$mute' --wait --timeout 1 2>&1 | grep 'images.web: .*did not end within 20 s'"
kill "$silent"
asked=$fleet/proxy.asked
: >"$asked"
perl "$root/tests/support/proxy.pl" "$address" 18888 "$asked" &
proxy=$!
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=inside" -addext "subjectAltName=IP:$address" \
  -keyout "$fleet/inside.key" -out "$fleet/inside.pem" 2>/dev/null
openssl s_server -accept "$address:18543" -cert "$fleet/inside.pem" -key "$fleet/inside.key" -www -quiet >/dev/null 2>&1 &
inside=$!
end() { kill "$proxy" "$inside" 2>/dev/null || true; }
trap end EXIT
app=$fleet/fresh/behind
rm -rf "$app" && mkdir -p "$fleet/fresh" && cp -r "$root/tests/e2e/testapp" "$app"
sed -i "s/^title: .*/title: Behind/; s/repository: testapp/repository: behind/" "$app/app.yaml"
cat >>"$app/image/web/Dockerfile" <<DOCKERFILE
USER 0:0
ARG MIRROR
RUN test "\$MIRROR" = "http://mirror.example"
RUN test "\$http_proxy" = "http://$address:18888" && test "\$no_proxy" = "inside.example"
RUN exec 3<>/dev/tcp/$address/18888 && printf 'GET http://outside.example/package HTTP/1.1\r\nHost: outside.example\r\n\r\n' >&3 && grep -q 'by the proxy' <&3
RUN openssl s_client -connect $address:18543 -verify_return_error -CAfile /etc/ssl/certs/ca-certificates.crt </dev/null >/dev/null
USER 10901:10901
DOCKERFILE
sed -i 's|^FROM.*|&\nSHELL ["/bin/bash", "-c"]|' "$app/image/web/Dockerfile"
"$root/deploy/dev/fork" "$app" "$fleet/forks"
ok "an app whose build needs them is registered" "$fairlead" app register "$app" --wait --timeout 60
"$fairlead" instance create behind bare --size tiny >/dev/null
ok "without them its build fails, and says where" within 90 state_is bare failed
has_lines() { "$fairlead" instance steps bare -o json | jq -r '.[] | select(.step == "build") | .problem, .lines' | grep -q 'mirror.example'; }
ok "... in its lines" has_lines
export FAIRLEAD_PROXY=http://$address:18888 FAIRLEAD_NO_PROXY=inside.example FAIRLEAD_BUILD_CA=$fleet/inside.pem FAIRLEAD_BUILD_ARGS=MIRROR=http://mirror.example
kill "$(cat "$fleet/server.pid")" && within 30 gone "$(cat "$fleet/server.pid")"
start_worker server builder,host,edge,dns,prober ""
ok "with them, asked again, it is built and runs" "$fairlead" instance retry bare --wait --timeout 180
ok "... through the proxy" grep -qx 'GET http://outside.example/package HTTP/1.1' "$asked"
ok "the app itself is told of no proxy" bash -c "! docker -H unix://$FAIRLEAD_DOCKER exec '$(container bare)' env | grep -qi proxy"
unset FAIRLEAD_PROXY FAIRLEAD_NO_PROXY FAIRLEAD_BUILD_CA FAIRLEAD_BUILD_ARGS
kill "$(cat "$fleet/server.pid")" && within 30 gone "$(cat "$fleet/server.pid")"
start_worker server builder,host,edge,dns,prober ""
"$fairlead" instance delete bare --purge --wait --timeout 90 >/dev/null
finish
