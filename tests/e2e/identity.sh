#!/usr/bin/env bash
# Who is who to Kafka and to the coordinator: certificates of nodes, what each may, how they are renewed, and how a node is
# shut out (acceptance 14, 16, 17, 23; P16, P17).
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/processes.sh
. "$root/tests/support/processes.sh"
tag=$(($(date +%s) % 100000))
dir=$fleet/identity
rm -rf "$dir" && mkdir -p "$dir"
worker() { FAIRLEAD_STATE=$1 FAIRLEAD_SECRETS=$1.secrets "$BUILD/fairlead-worker" "${@:2}"; } # STATE ARGUMENT...
new_node() { "$fairlead" node create "$1" --plane main --roles "$2" --address "$3" >/dev/null; }
node_id() { sql "select replace(id::text, '-', '') from nodes where name = '$1'"; }
enrolment() { sql "select enrolment from nodes where name = '$1'"; }

# ---- what a certificate says, and for whom there is none ----
new_node "j$tag" host 127.0.0.7
hex() { od -An -v -tx1 | tr -d ' \n'; }
unhex() { sed 's/../\\x&/g' | xargs -0 printf '%b'; }
new_keys() {
  openssl genpkey -algorithm ed25519 -out "$dir/sign.pem" 2>/dev/null
  sign_key=$(openssl pkey -in "$dir/sign.pem" -pubout -outform DER | tail -c 32 | hex)
  seal_key=$(openssl genpkey -algorithm x25519 2>/dev/null | openssl pkey -pubout -outform DER | tail -c 32 | hex)
}
new_keys
prove() { # TYPE FILE: signed as an envelope is
  { printf 'DSSEv1 %d %s %d ' "${#1}" "$1" "$(stat -c %s "$2")"; cat "$2"; } >"$dir/pae"
  openssl pkeyutl -sign -rawin -inkey "$dir/sign.pem" -in "$dir/pae" | hex
}
joins() { # STATUS CODE REQUEST_FILE
  printf %s "$2$sign_key$seal_key" | unhex >"$dir/said"
  jq -Rs --arg code "$2" --arg sign "$sign_key" --arg seal "$seal_key" --arg proof "$(prove fairlead.enrol.v1 "$dir/said")" \
    '{code: $code, sign_key: $sign, seal_key: $seal, proof: $proof, request: .}' <"$3" >"$dir/enrol.json"
  answers "$1" POST /v1/enrol -d "@$dir/enrol.json"
}
ask_for() { # FILE OPENSSL_ARGUMENT...
  openssl req -new -nodes -keyout "$dir/$1.key" -out "$dir/$1.csr" "${@:2}" 2>/dev/null
}
ask_for greedy -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /O=programs/CN=coordinator -addext basicConstraints=critical,CA:TRUE -addext subjectAltName=IP:127.0.0.1
ask_for rsa -newkey rsa:2048 -subj /CN=x
ask_for curve -newkey ec -pkeyopt ec_paramgen_curve:P-384 -subj /CN=x
ask_for edwards -newkey ed25519 -subj /CN=x
sed '4y/ABCDEFGHIJKLMNOPQRSTUVWXYZ/BCDEFGHIJKLMNOPQRSTUVWXYZA/' "$dir/greedy.csr" >"$dir/changed.csr"
echo none >"$dir/garbage.csr"
code=$("$fairlead" node invite "j$tag" | cut -d. -f2)
for kind in rsa curve edwards changed garbage; do ok "a request that is $kind gets no certificate" joins 422 "$code" "$dir/$kind.csr"; done
ok "... and its code is not used up: a good one does" joins 200 "$code" "$dir/greedy.csr"
jq -r .certificate "$fleet/body" >"$dir/chain.pem"
says() { openssl x509 -in "$dir/chain.pem" -noout -text -nameopt RFC2253 >"$dir/text" && grep -q "Subject: CN=node.$(node_id "j$tag").1,O=nodes$" "$dir/text"; }
ok "whatever subject it asked for: a certificate names our row" says
ok "... it is no authority, and answers at no host" bash -c "grep -q 'CA:FALSE' '$dir/text' && ! grep -q 'Subject Alternative Name' '$dir/text' && grep -q 'TLS Web Client Authentication' '$dir/text'"
day() { [ $(($(date -d "$(openssl x509 -in "$dir/chain.pem" -noout -enddate | cut -d= -f2)" +%s) - $(date +%s) - 86400)) -le 0 ] && openssl x509 -in "$dir/chain.pem" -noout -checkend 86000; }
ok "... for a day" day
ok "openssl finds the way to the root" openssl verify -CAfile "$FAIRLEAD_AUTHORITY/root.pem" -untrusted "$dir/chain.pem" -purpose sslclient "$dir/chain.pem"
ok "an operator sees its fingerprint" test "$("$fairlead" node get "j$tag" -o json | jq -r .certificate.fingerprint)" = "$(openssl x509 -in "$dir/chain.pem" -noout -fingerprint -sha256 | cut -d= -f2 | tr -d : | tr A-F a-f)"
cat "$dir/greedy.key" "$dir/chain.pem" >"$dir/j.pem"

# ---- a new one, by the key that enrolled ----
renews() { # STATUS NODE CHALLENGE REQUEST_FILE
  { printf %s "$3"; cat "$4"; } >"$dir/said"
  jq -Rs --arg node "$2" --arg challenge "$3" --arg proof "$(prove fairlead.renew.v1 "$dir/said")" \
    '{node: $node, challenge: $challenge, request: ., proof: $proof}' <"$4" >"$dir/renew.json"
  answers "$1" POST /v1/renew -d "@$dir/renew.json"
}
challenge() { answers 200 POST /v1/renew/challenge -d "{\"node\":\"$1\"}" >/dev/null && jq -r .challenge "$fleet/body"; }
me=$(node_id "j$tag") other=$(node_id slave)
ask_for next -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=x
given=$(challenge "$me")
ok "a node gets a new certificate for a new key (23)" renews 200 "$me" "$given" "$dir/next.csr"
ok "... whose row says so" bash -c "[ \"\$(jq -r .certificate '$fleet/body' | openssl x509 -noout -serial | cut -d= -f2 | tr A-F a-f)\" = \"\$('$fairlead' node get 'j$tag' -o json | jq -r .certificate.serial)\" ]"
ok "... and the audit" sql_is "select count(*) > 0 from audit where act = 'RENEW'" t
ok "its old question, asked by somebody else for another key, is none" bash -c ". '$root/tests/support/e2e.sh'; jq --rawfile r '$dir/greedy.csr' '.request = \$r' '$dir/renew.json' >'$dir/other.json' && answers 401 POST /v1/renew -d '@$dir/other.json'"
ok "a challenge that was given to another" renews 401 "$me" "$(challenge "$other")" "$dir/next.csr"
ok "... that nobody gave" renews 401 "$me" "$(printf '%0144d' 0)" "$dir/next.csr"
ok "... whose time was changed" renews 401 "$me" "ffff${given:4}" "$dir/next.csr"
ok "a node that is none" renews 401 00000000000070008000000000000000 "$(challenge 00000000000070008000000000000000)" "$dir/next.csr"
ok "another node, by this one's key" renews 401 "$other" "$(challenge "$other")" "$dir/next.csr"
ok "a request of another kind of key" renews 422 "$me" "$(challenge "$me")" "$dir/rsa.csr"

# ---- what a certificate opens: by a client that is not ours ----
slave=$fleet/slave/node.pem
as_node() { # CERTIFICATE KCAT_ARGUMENT...
  KCAT_CONFIG=/dev/null timeout 20 kcat -b "$FAIRLEAD_KAFKA_NODES" -m 5 -X security.protocol=ssl -X "ssl.ca.location=$FAIRLEAD_KAFKA_CA" \
    -X "ssl.certificate.location=$1" -X "ssl.key.location=$1" -X ssl.endpoint.identification.algorithm=https \
    -X topic.metadata.refresh.interval.ms=1000 -X message.timeout.ms=5000 "${@:2}" 2>&1
}
reads() { as_node "$1" -C -e -q -t "$2" -f '%o\n' >"$dir/read" && ! grep -q 'ERROR' "$dir/read"; } # CERTIFICATE TOPIC
writes() { echo x | as_node "$1" -P -t "$2" >"$dir/wrote" && ! grep -qi 'error\|failed' "$dir/wrote"; }
not() { ! "$@"; }
own=fairlead.node.$(node_id slave) foreign=fairlead.node.$(node_id server)
ok "a node reads its own topic (16)" reads "$slave" "$own"
ok "... and no other's" not reads "$slave" "$foreign"
ok "... nor events, nor what nodes report, nor orders of roles that it has not" bash -c "$(declare -f reads as_node); dir='$dir'; for t in fairlead.events fairlead.reports fairlead.orders.build fairlead.orders.dns fairlead.audit; do ! reads '$slave' \$t || exit 1; done"
ok "it reads the orders of its roles" reads "$slave" fairlead.orders.noop
ok "... and who has that role those of builders" reads "$fleet/server/node.pem" fairlead.orders.build
ok "it writes reports" writes "$slave" fairlead.reports
ok "... and nothing else: not its own topic, no order, no event" bash -c "$(declare -f writes as_node); dir='$dir'; for t in $own $foreign fairlead.orders.noop fairlead.orders.build fairlead.events; do ! writes '$slave' \$t || exit 1; done"
lists() { as_node "$1" -L >"$dir/list" && grep -q "\"$own\"" "$dir/list" && ! grep -q "\"$foreign\"\|fairlead.events\|fairlead.audit" "$dir/list"; }
ok "what it may not read is not there for it" lists "$slave"
opens() { as_node "$1" -L >"$dir/list" && grep -q ' brokers:' "$dir/list"; }
openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout "$dir/self.key" -out "$dir/self.crt" -subj "/O=nodes/CN=node.$(node_id slave).1" -days 1 2>/dev/null
cat "$dir/self.key" "$dir/self.crt" >"$dir/self.pem"
ok "who signed for itself is nobody" not opens "$dir/self.pem"
ok "a program is nobody where nodes are" not opens "$FAIRLEAD_KAFKA_TOOLS"
ok "... and somebody where programs are" kcat -L -b "$FAIRLEAD_KAFKA" -t none
at_programs() { FAIRLEAD_KAFKA_NODES=$FAIRLEAD_KAFKA opens "$1"; }
ok "a node is nobody where programs are" not at_programs "$slave"
ok "without a certificate nobody is anybody" bash -c "! KCAT_CONFIG=/dev/null timeout 20 kcat -L -m 5 -b '$FAIRLEAD_KAFKA_NODES' -X security.protocol=ssl -X ssl.ca.location='$FAIRLEAD_KAFKA_CA' && ! KCAT_CONFIG=/dev/null timeout 20 kcat -L -m 5 -b '$FAIRLEAD_KAFKA_NODES'"
flood() { "$BUILD/tests/support/flood" "$1" "$2" "$3" 60; } # 54 MB; for how long the broker asked for quiet
slowed() { local ms; ms=$(flood "$FAIRLEAD_KAFKA_NODES" "$slave" fairlead.reports) && echo "$ms" && [ "$ms" -gt 0 ]; }
ok "a node that writes without end is slowed down by the broker" slowed
unslowed() { local ms; ms=$(flood "$FAIRLEAD_KAFKA" "$FAIRLEAD_KAFKA_CERT" fairlead.orders.noop) && [ "$ms" = 0 ]; }
ok "... and our own programs are not" unslowed
rights() { "$BUILD/tests/support/rights" "$@"; }
ok "rights are literal: none is for a whole family of topics" bash -c "[ \"\$('$BUILD/tests/support/rights' list node.$(node_id server).$(enrolment server) | grep -c .)\" -gt 10 ] && ! '$BUILD/tests/support/rights' list node.$(node_id server).$(enrolment server) | grep -q '\*$'"
# Somebody who may gives one of them more, and takes something away.
stray=node.$(node_id slave).$(enrolment slave)
is_mended() { [ "$(rights list "$stray" | grep -c 'fairlead.events')" = 0 ] && [ "$(rights list "$stray" | grep -c "read topic $own")" = 1 ]; }
rights give grafana fairlead.events # a program of the provider's own
strays() { rights give "$stray" fairlead.events && rights take "$stray" "$own" && ! is_mended && within 60 is_mended; }
ok "the broker's rights are made to follow the rows again" strays
ok "... what others were given is theirs" bash -c "'$BUILD/tests/support/rights' list grafana | grep 'read topic fairlead.events'"
rights take grafana fairlead.events

# ---- a certificate of half a minute: renewed while all goes on, and after it has ended ----
port=$((FAIRLEAD_PORT + 7))
FAIRLEAD_CERTIFICATE_LIFE=30 FAIRLEAD_NODE_URL=http://127.0.0.1:$port FAIRLEAD_PORT=$port FAIRLEAD_STATE=$fleet/coordinator setsid "$BUILD/fairlead-coordinator" api >"$dir/coordinator.log" 2>&1 </dev/null &
short=$!
disown
short_api() { FAIRLEAD_SERVER=http://127.0.0.1:$port "$fairlead" "$@"; }
within 20 curl -fs -m 2 "http://127.0.0.1:$port/readyz"
new_node "k$tag" dns,prober 127.0.0.7
new_node "l$tag" host 127.0.0.8
enrols() { worker "$dir/$1" enrol "$(short_api node invite "$1$tag")"; }
ok "a node enrols, and shows the fingerprint to compare" bash -c "$(declare -f enrols worker short_api); dir='$dir' tag=$tag port=$port fairlead='$fairlead' BUILD='$BUILD'; enrols k | tee '$dir/said' && grep -q \"SHA-256 \$('$fairlead' node get 'k$tag' -o json | jq -r .certificate.fingerprint)\" '$dir/said'"
enrols l >/dev/null
serial() { sql "select certificate_serial from nodes where name = '$1'"; }
first=$(serial "k$tag")
run_worker() { # NAME ROLES
  FAIRLEAD_STATE=$dir/$1 FAIRLEAD_SECRETS=$dir/$1.secrets setsid "$BUILD/fairlead-worker" --roles "$2" run >>"$dir/$1.log" 2>&1 </dev/null &
  echo $! >"$dir/$1.pid"
  disown
}
ok "a node that joins says what its machine lacks" bash -c "$(declare -f worker); BUILD='$BUILD'; FAIRLEAD_ENGINE='$dir/none' worker '$dir/l' enrol \"\$('$fairlead' node invite 'l$tag')\" | grep -q 'lacks something for its roles: the Docker Engine does not answer'"
enrols l >/dev/null # by the coordinator whose certificates are short
cp "$dir/l/node.pem" "$dir/old.pem"
FAIRLEAD_NGINX_CONF=$dir/nginx.conf run_worker k dns,prober,edge
lacks_now() { [ "$("$fairlead" node get "k$tag" -o json | jq -r '.lacks // ""')" = "$1" ]; }
ok "what it lacks is told while it runs" within 40 lacks_now "nginx has no configuration"
ok "... the doctor names it" bash -c "'$fairlead' doctor | grep -q 'k$tag: nginx has no configuration'"
touch "$dir/nginx.conf"
ok "... and that it is there now" within 60 lacks_now ""
is_renewed() { [ "$(serial "k$tag")" != "$first" ] && grep -q 'the certificate was renewed' "$dir/k.log"; }
ok "at two thirds of its life it is renewed, by a new key (P17)" within 40 is_renewed
seen_since() { sql "select seen_at > to_timestamp($2) and health = 'ok' from nodes where name = '$1'" | grep -q t; }
ends_at=$(date -d "$(openssl x509 -in "$dir/l/node.pem" -noout -enddate | cut -d= -f2)" +%s)
past() { [ "$(date +%s)" -gt "$((ends_at + 1))" ]; }
within 60 past
ok "... and the node is heard by it after the first one's end" within 45 seen_since "k$tag" "$(date +%s)"
reads_on() { # its documents anew, and nothing is refused it since the first one's end
  [ "$(grep -c "the coordinator's list came" "$dir/k.log")" -ge 2 ] &&
    ! awk -v end="$(date -u -d "@$ends_at" +%Y-%m-%dT%H:%M:%S)" '$1 > end && /uthorization|SSL|certificate verify/' "$dir/k.log" | grep .
}
ok "... its documents and orders, too" within 20 reads_on
ended() { ! openssl x509 -in "$dir/old.pem" -noout -checkend 0 && ! opens "$dir/old.pem" || { openssl x509 -in "$dir/old.pem" -noout -dates; date; cat "$dir/list"; return 1; }; }
ok "a certificate that has ended opens nothing" ended
# As systemd would have it (Type=notify, WatchdogSec): a socket that is told that it is ready, lives and ends.
perl -MSocket -e 'socket(S, PF_UNIX, SOCK_DGRAM, 0) && bind(S, sockaddr_un($ARGV[0])) or die; $| = 1; print "$m\n" while defined recv(S, $m, 4096, 0)' "$dir/notify" >"$dir/told" 2>/dev/null &
listener=$!
within 10 test -S "$dir/notify"
export NOTIFY_SOCKET=$dir/notify WATCHDOG_USEC=500000
run_worker l host
unset NOTIFY_SOCKET WATCHDOG_USEC
tells() { grep -q "^$1=1" "$dir/told"; }
ok "a node tells its manager that it is ready" within 15 tells READY
ok "... and that it lives, as often as it asks" within 15 bash -c "[ \$(grep -c '^WATCHDOG=1' '$dir/told') -ge 3 ]"
kill -HUP "$(cat "$dir/l.pid")"
reloads() { tells RELOADING && [ "$(grep -c '^READY=1' "$dir/told")" -ge 2 ] && grep -q 'the options were read again' "$dir/l.log"; }
ok "... and that it reads its options again, when it is told to" within 10 reloads
ok "one that was away until its certificate had ended asks for a new one at its start, and is heard" within 45 seen_since "l$tag" "$ends_at"

# ---- shut out ----
lost=$dir/k/node.pem
topic=fairlead.node.$(node_id "k$tag")
follow() { KCAT_CONFIG=/dev/null exec timeout 120 kcat -b "$FAIRLEAD_KAFKA_NODES" -X security.protocol=ssl -X "ssl.ca.location=$FAIRLEAD_KAFKA_CA" \
  -X "ssl.certificate.location=$lost" -X "ssl.key.location=$lost" -C -q -t "$topic" -o end >"$dir/follow" 2>&1; }
follow &
follow=$!
within 20 bash -c "ss -tnp | grep kcat | grep -q ESTAB"
as_node "$lost" -L >/dev/null # it is let in
began=$(date +%s%N)
ok "a node is revoked" "$fairlead" node revoke "k$tag"
shut() { rights list "node.$(node_id "k$tag").1" | grep -q 'deny all topic \*'; }
ok "... the broker knows at once" within 10 shut
echo "     after $((($(date +%s%N) - began) / 1000000)) ms"
ok "... it may not read its own topic any more (P16)" not reads "$lost" "$topic"
ok "... nor report" not writes "$lost" fairlead.reports
told() { grep -q 'uthorization' "$dir/follow"; }
ok "... a connection that was open is told nothing more" within 15 told
kill "$follow" 2>/dev/null || true
refused_renewal() { within 60 grep -q 'may renew its certificate' "$dir/k.log"; }
ok "... and its certificate is not renewed" refused_renewal
ok "its state says so" test "$("$fairlead" node get "k$tag" -o json | jq -r .state)" = retired
ok "... once more changes nothing" "$fairlead" node revoke "k$tag"
kill "$(cat "$dir/k.pid")" "$(cat "$dir/l.pid")" 2>/dev/null || true
ok "a node that is stopped tells that it ends" within 20 tells STOPPING
kill "$listener" 2>/dev/null || true
again() { worker "$dir/k" enrol "$("$fairlead" node invite "k$tag")" 2>&1; }
ok "the keys that were revoked are not let in again, and it says what to do" bash -c "$(declare -f again worker); dir='$dir' tag=$tag fairlead='$fairlead' BUILD='$BUILD'; ! again >'$dir/said' && grep -q 'Remove node.keys' '$dir/said'"
rm "$dir/k/node.keys"
ok "... with new ones it is, by an invitation" again
ready_again() { [ "$("$fairlead" node get "k$tag" -o json | jq -r .state)" = ready ] && reads "$dir/k/node.pem" "$topic"; }
ok "... as somebody new" within 20 ready_again
off() { "$BUILD/tests/support/forge" "$dir/k" presence 1 && "$fairlead" node get "k$tag" -o json | jq -r '.lacks // ""' | grep 'its clock is [0-9]* s behind'; }
ok "a node whose clock is off is seen" within 40 off
# What a thief has is good for a day, and he has the keys that enrolled, too.
topic=fairlead.node.$me
ok "what was stolen opens what it opened" reads "$dir/j.pem" "$topic"
ok "... until the node is revoked" "$fairlead" node revoke "j$tag"
ok "... then nothing" within 10 not reads "$dir/j.pem" "$topic"
code=$("$fairlead" node invite "j$tag" | cut -d. -f2)
ok "... nor is it let in with an invitation" joins 422 "$code" "$dir/next.csr"
ok "a second revoking voids what was given meanwhile" bash -c "'$fairlead' node revoke 'j$tag' && [ -z \"\$(psql -XAtq '$FAIRLEAD_DATABASE_URL' -c \"select 1 from tokens t join nodes n on n.id = t.node_id where n.name = 'j$tag' and t.used_at is null\")\" ]"
cp "$dir/sign.pem" "$dir/thief.pem"
new_keys
ok "the node itself is, with new keys" joins 200 "$("$fairlead" node invite "j$tag" | cut -d. -f2)" "$dir/next.csr"
cp "$dir/thief.pem" "$dir/sign.pem"
ok "... and the thief gets no certificate by the old ones" renews 401 "$me" "$(challenge "$me")" "$dir/greedy.csr"
ok "... and opens nothing by what he had" not reads "$dir/j.pem" "$topic"
ok "... nor does he report" not writes "$dir/j.pem" fairlead.reports

# ---- what a hand finds ----
ok "the authority is made once: a second time there is nothing to do" bash -c "'$BUILD/fairlead-coordinator' --authority '$FAIRLEAD_AUTHORITY' authority | grep -q 'nothing to do'"
mkdir -p "$dir/ca"
ok "a program gets a certificate" bash -c "'$BUILD/fairlead-coordinator' --authority '$dir/ca' authority && '$BUILD/fairlead-coordinator' --authority '$dir/ca' issue grafana metrics.test 10.0.0.1 && openssl x509 -in '$dir/ca/grafana.pem' -noout -ext subjectAltName | grep -q 'DNS:metrics.test, IP Address:10.0.0.1'"
ok "... that nobody else can read" test "$(stat -c %a "$dir/ca/grafana.pem" "$dir/ca/issuing.key" "$dir/ca/root.key" | sort -u)" = 600
rm "$dir/ca/issuing.pem" && mv "$dir/ca/root.key" "$dir/safe.key"
ok "without the root's key no new issuing key is made, and it says what to do" bash -c "'$BUILD/fairlead-coordinator' --authority '$dir/ca' authority 2>&1 | grep -q 'root.key: put it into'"
mv "$dir/safe.key" "$dir/ca/root.key"
ok "... with it there is one" "$BUILD/fairlead-coordinator" --authority "$dir/ca" authority
ok "the name of a program is a name" bash -c "! '$BUILD/fairlead-coordinator' --authority '$dir/ca' issue ../x && ! '$BUILD/fairlead-coordinator' --authority '$dir/ca' issue root"
ok "a coordinator does not begin with an authority that it cannot read" bash -c "! FAIRLEAD_PORT=0 FAIRLEAD_STATE='$fleet/coordinator' timeout 20 '$BUILD/fairlead-coordinator' --authority '$dir/none' api"

kill "$short" 2>/dev/null || true
within 20 gone "$short"
for n in k l; do
  within 20 gone "$(cat "$dir/$n.pid")"
  if mountpoint -q "$dir/$n.secrets"; then umount "$dir/$n.secrets"; fi
done
sql "update nodes set state = 'retired' where name in ('j$tag', 'k$tag', 'l$tag')"
rm -rf "$dir"
finish
