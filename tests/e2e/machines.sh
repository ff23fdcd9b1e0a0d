#!/usr/bin/env bash
# A second machine joins over TLS, with nothing of ours on it but its own folder: it runs an app, gets images through the gate,
# and goes on when its cable is cut. Only where this machine has an address that others reach (tests/e2e/run gives the
# second hand one) (acceptance 5, 16, 18).
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/processes.sh
. "$root/tests/support/processes.sh"
# shellcheck source=../support/instances.sh
. "$root/tests/support/instances.sh"
case $FAIRLEAD_KAFKA_NODES in 127.*) ok "this machine has no address that others reach: nothing to try here" true; finish; exit ;; esac
machine=$root/deploy/dev/machine
tag=$(($(date +%s) % 100000))
far=far$tag app=far$tag
on_far() { "$machine" run far "$@"; }
explain() { tail -n 5 "$fleet/far.log" "$run/machines/far/log" 2>/dev/null; }

ok "another machine is there, with an Engine of its own" "$machine" up far 10.203.1.2 10.203.1.1
far_engine= # its socket
eval "$("$machine" env far | sed 's/FAIRLEAD_DOCKER/far_engine/' | grep -E 'far_engine|FAIRLEAD_MACHINE')"
state=$FAIRLEAD_MACHINE/state
on_engine() { docker -H "unix://$far_engine" "$@"; }
"$fairlead" node create "$far" --plane main --roles host --address 10.203.1.2 --cpu 4000 --memory 60000 >/dev/null
token=$("$fairlead" node invite "$far")
ok "its invitation leads to the gate, over TLS" has "$token" ".https://$FAIRLEAD_GATE"
printed=${token%.https*} # by the coordinator's key; one digit of its fingerprint is another
case $printed in *0) other=1 ;; *) other=0 ;; esac
false_token() { ! on_far env FAIRLEAD_STATE="$state.false" "$BUILD/fairlead-worker" enrol "${printed%?}$other.https${token#*.https}" 2>"$fleet/said" && grep -q 'is not the coordinator that gave the token' "$fleet/said"; }
ok "whoever answers there and is not the coordinator is told no code" false_token
# Somebody in between whom the machine itself would trust: a company's proxy, or any authority of the public. It passes on what the
# coordinator says of its authority, and waits for the code.
fake=$fleet/fake
rm -rf "$fake" && mkdir -p "$fake/v1"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=fake -keyout "$fake/ca.key" -out "$fake/ca.pem" 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=10.203.1.2 -keyout "$fake/server.key" 2>/dev/null |
  openssl x509 -req -CA "$fake/ca.pem" -CAkey "$fake/ca.key" -days 2 -extfile <(echo subjectAltName=IP:10.203.1.2) -out "$fake/server.pem" 2>/dev/null
{ printf 'HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n'; curl -s --cacert "$FAIRLEAD_KAFKA_CA" "https://$FAIRLEAD_GATE/v1/authority"; } >"$fake/v1/authority"
on_far mount -t tmpfs tmpfs /etc/ssl/certs
on_far cp "$fake/ca.pem" /etc/ssl/certs/
on_far openssl rehash /etc/ssl/certs
# shellcheck disable=SC2016
on_far bash -c 'cd "$0" && exec openssl s_server -accept 10.203.1.2:9443 -cert server.pem -key server.key -HTTP' "$fake" >"$fake/log" 2>&1 &
trusts() { on_far curl -s -m 5 --cacert /etc/ssl/certs/ca.pem "https://10.203.1.2:9443/v1/authority" | grep -q sign_key; }
ok "who stands in between is good to who trusts what the machine trusts" within 10 trusts
joins_by() { on_far env FAIRLEAD_STATE="$state.between" "$BUILD/fairlead-worker" enrol "${token%%.https*}.https://10.203.1.2:9443" >"$fleet/said" 2>&1; }
told_nothing() { ! joins_by && grep -q 'certificate' "$fleet/said" && ! grep -q POST "$fake/log"; }
ok "... and is told no code: the authority that the token vouches for is the only one" told_nothing
pkill -f 'openssl s_server -accept 10.203.1.2:9443' || true
on_far umount /etc/ssl/certs
ok "it joins by one command" on_far env FAIRLEAD_STATE="$state" "$BUILD/fairlead-worker" enrol "$token"
start_far() { # [FAULT]
  on_far env FAIRLEAD_FAULT="${1:-}" FAIRLEAD_STATE="$state" FAIRLEAD_SECRETS="$FAIRLEAD_MACHINE/secrets" FAIRLEAD_ENGINE="$far_engine" FAIRLEAD_REGISTRY="$FAIRLEAD_GATE" \
    setsid "$BUILD/fairlead-worker" --roles host run >>"$fleet/far.log" 2>&1 </dev/null &
  disown
}
far_pid() { # its worker's, of all that run hosts
  local p
  for p in $(pgrep -f "^$BUILD/fairlead-worker --roles host run"); do
    if tr '\0' '\n' <"/proc/$p/environ" | grep -x "FAIRLEAD_STATE=$state" >/dev/null; then echo "$p"; fi
  done
  return 0
}
start_far
heard() { [ "$("$fairlead" node get "$far" -o json | jq -r '.state + " " + .health')" = 'ready ok' ]; }
ok "... and is heard over TLS" within 30 heard
"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
ok "an app is asked for" "$fairlead" instance create testapp "$app" --size tiny --wait --timeout 240
ok "... and runs there" test "$(node "$app")" = "$far"
there() { on_engine ps -q --filter "label=fairlead.instance=$(hex "$app")" | grep -q .; }
ok "... in that machine's Engine" there
ok "... and not in ours" test -z "$(container "$app")"
ok "... it answers on its public name, through our edge" serves "$app"
image=$(on_engine inspect "$(on_engine ps -q --filter "label=fairlead.instance=$(hex "$app")")" --format '{{.Config.Image}}')

# ---- what it runs is what was built ----
empty() { [ -d "$1" ] && [ -z "$(ls "$1")" ]; }
wanted=$("$fairlead" instance get "$app" -o json | jq -r .images.web) # repository@digest
repository=${wanted%@*}
digest=${wanted#*@}
manifest=/v2/$repository/manifests/$digest
origin=$fleet/provenance.json
"$fairlead" instance provenance "$app" -o json | jq '.[0]' >"$origin"
statement() { jq -r .envelope.payload "$origin" | base64 -d | jq -r "$1"; }
ok "its image is the one that its provenance binds (S8)" test "$image" = "$(jq -r .image_id "$origin")"
ok "... of that digest" test "sha256:$(statement ".subject[] | select(.name == \"$repository\") | .digest.sha256")" = "$digest"
ok "... built from the commit that it shows" test "$(statement '.predicate.buildDefinition.resolvedDependencies[0].digest.gitCommit')" = "$("$fairlead" instance get "$app" -o json | jq -r .commits.web)"
ok "... on the base that the coordinator names" bash -c "[[ '$FAIRLEAD_BASE' == *@sha256:$(statement '.predicate.buildDefinition.resolvedDependencies[1].digest.sha256') ]]"
# By somebody else's program, from nothing but the envelope and the public key (DSSE, RFC 8410).
enveloped() { { printf 'DSSEv1 28 application/vnd.in-toto+json %s ' "$(stat -c %s "$fleet/payload")" && cat "$fleet/payload"; } >"$fleet/signed"; }
openssl_takes_it() { openssl pkeyutl -verify -rawin -pubin -inkey "$fleet/key.der" -keyform DER -in "$fleet/signed" -sigfile "$fleet/signature"; }
judged() {
  local key
  key=302a300506032b6570032100$(curl -s --cacert "$FAIRLEAD_KAFKA_CA" "https://$FAIRLEAD_GATE/v1/authority" | jq -r .sign_key)
  # shellcheck disable=SC2059,SC2001
  printf "$(sed 's/../\\x&/g' <<<"$key")" >"$fleet/key.der"
  jq -r .envelope.payload "$origin" | base64 -d >"$fleet/payload" && enveloped
  jq -r '.envelope.signatures[0].sig' "$origin" | base64 -d >"$fleet/signature"
  openssl_takes_it
}
ok "... as openssl says, of the coordinator's public key" judged
altered() { sed -i 's/gitCommit/gitCommot/' "$fleet/payload" && enveloped && ! openssl_takes_it; }
ok "... and not of one that was altered" altered
ok "the machine itself has fetched it: its Engine knows no registry" bash -c "! docker -H 'unix://$far_engine' image inspect '$image' --format '{{.RepoDigests}}' | grep -q '$repository'"
ok "... and nothing of it lies about" empty "$state/images"
listens() { on_far ss -Hltn | awk '{print $4}' | grep -v '^127\.' | sort -u | tr '\n' ' '; }
ok "on that machine listens the app's port, for the edge, and nothing else" test "$(listens)" = "10.203.1.2:$("$fairlead" instance get "$app" -o json | jq -r .port) "
ok "... which admits nobody else" bash -c "! timeout 3 curl -s -m 2 --interface 10.203.1.1 http://10.203.1.2:$("$fairlead" instance get "$app" -o json | jq -r .port)/healthz"

# ---- the gate ----
gate() { curl -s -m 10 -o /dev/null -w '%{http_code}' --cacert "$FAIRLEAD_KAFKA_CA" "${@:2}" "https://$FAIRLEAD_GATE$1"; } # PATH CURL_ARGUMENT...
as_far() { gate "$1" --cert "$state/node.pem" --key "$state/node.pem" "${@:2}"; }
ok "the registry's door is closed to who shows nothing" test "$(gate "$manifest")" = 401
ok "a node reads the image of its app" test "$(as_far "$manifest" -I -H 'Accept: application/vnd.docker.distribution.manifest.v2+json')" = 200
ok "... and no other: what its plane's base is, is not its" test "$(as_far "/v2/fairlead/base/tags/list")" = 403
ok "... nor a repository by a path that means another" bash -c "for p in /v2/$repository/manifests/../../../fairlead/base/manifests/bookworm /v2/fairlead/base/manifests/bookworm /v2/_catalog /v2/fairlead/base/blobs/sha256:0/manifests/x; do s=\$(curl -s -m 10 --path-as-is -o /dev/null -w '%{http_code}' --cacert '$FAIRLEAD_KAFKA_CA' --cert '$state/node.pem' --key '$state/node.pem' \"https://$FAIRLEAD_GATE\$p\"); [ \$s = 403 ] || [ \$s = 400 ] || { echo \$p \$s; exit 1; }; done"
ok "it writes none" test "$(as_far "/v2/$repository/blobs/uploads/" -X POST)" = 403
ok "a builder writes" test "$(gate "/v2/$repository/blobs/uploads/" -X POST --cert "$fleet/server/node.pem" --key "$fleet/server/node.pem")" = 202
ok "of the API the gate opens what a node needs to join, and no more" bash -c "for p in /v1/nodes /v1/instances /metrics /v1/images/admit /admit /v1/renew/x; do [ \"\$(curl -s -m 10 -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer $(cat "$fleet/token")' --cacert '$FAIRLEAD_KAFKA_CA' https://$FAIRLEAD_GATE\$p)\" = 404 ] || { echo \$p; exit 1; }; done"

# Which id a digest has is asked once (tests/e2e/fails.sh has one that is here, of something else).
id_file=$state/image-ids/${digest#sha256:}
ok "what was found is written down" test "$(cat "$id_file")" = "$image"

# ---- another version, and a worker that dies on the way ----
fork=$fleet/forks/$app work=$fleet/sources/$app
rm -rf "$fork" "$work" && mkdir -p "$work" && cp -a "$root/tests/e2e/testapp/image/." "$fork"
sed -i "/^USER/i RUN head -c 3000000 /dev/urandom >/tag.$tag" "$fork/web/Dockerfile"
git -C "$fork" init -q -b main && git -C "$fork" add -A && git -C "$fork" -c user.name=a -c user.email=a@b commit -q -m other
cp "$root"/tests/e2e/testapp/{compose.yaml,app.yaml} "$work/" && sed -i "s/repository: testapp/repository: $app/" "$work/app.yaml"
"$fairlead" app register "$work" >/dev/null
fetches() { grep 'an image is fetched' "$fleet/far.log" | grep -c "fairlead/$app-web" || true; }
stop_far() { local p; p=$(far_pid) && kill "$p" && within 20 gone "$p"; }
ok "its worker is armed to die when a piece of an image is there" stop_far
up_far() { [ -n "$(far_pid)" ]; }
start_far image.fetched:kill
within 10 up_far
"$fairlead" instance create "$app" "two$tag" --size tiny >/dev/null
dead() { [ -z "$(far_pid)" ]; }
ok "... and does" within 120 dead
ok "... leaving what it has" bash -c "ls '$state'/images/*/ | grep -q ."
start_far image.loaded:kill
within 10 up_far
ok "another time it dies when the Engine has it" within 60 dead
ok "... and did not fetch the layers that are here already" bash -c "grep 'an image is fetched' '$fleet/far.log' | grep 'fairlead/$app-web' | tail -1 | grep -q 'layers here=[1-9]'"
start_far
ok "the app comes up all the same" within 90 state_is "two$tag" running
ok "... and was fetched once" test "$(fetches)" = 1
ok "... and answers" serves "two$tag"
ok "... and what lay about is gone" empty "$state/images"
ok "it goes" "$fairlead" instance delete "two$tag" --purge --wait --timeout 120
ok "... with its image, by its name" bash -c "! docker -H 'unix://$far_engine' image ls --format '{{.Repository}}' | grep -q 'fairlead/$app-web'"

# ---- the cable ----
"$machine" cable far down
ok "a cable that is cut is seen (W4)" within 60 health_is "$app" unknown
answers_there() { on_engine exec "$(on_engine ps -q --filter "label=fairlead.instance=$(hex "$app")")" timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080 && printf "GET /healthz HTTP/1.0\r\n\r\n" >&3 && cat <&3' | grep -q '200 OK'; }
ok "... the app goes on" answers_there
dies() { on_engine kill "$(on_engine ps -q --filter "label=fairlead.instance=$(hex "$app")")" >/dev/null && within 30 answers_there; }
ok "... and is started again when it dies, by that machine alone" dies
"$machine" cable far up
ok "with the cable all is well again by itself" within 60 health_is "$app" ok
ok "... and it answers" within 20 serves "$app"

ok "it is deleted there" "$fairlead" instance delete "$app" --purge --wait --timeout 120
ok "... and nothing of it is left" bash -c "! docker -H 'unix://$far_engine' ps -aq --filter label=fairlead.instance | grep ."
ok "the machine is lost: it may nothing any more" "$fairlead" node revoke "$far"
ok "... nor read an image" within 10 bash -c "[ \$(curl -s -m 10 -o /dev/null -w '%{http_code}' --cacert '$FAIRLEAD_KAFKA_CA' --cert '$state/node.pem' --key '$state/node.pem' https://$FAIRLEAD_GATE$manifest) = 403 ]"
pid=$(far_pid)
[ -z "$pid" ] || { kill "$pid" && within 20 gone "$pid"; } || true
ok "it is taken away" "$machine" down far
finish
