#!/usr/bin/env bash
# Bad inputs: enrolment.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=common.sh
. "$root/tests/badinput/common.sh"
"$fairlead" node create guest --plane main --roles dns --address 127.0.0.6 >/dev/null 2>&1 || true
z() { head -c "$1" /dev/zero | tr '\0' "${2:-0}"; }
enrol() { refused "$1" POST /v1/enrol -d "$2"; }
# A request for a certificate, as JSON has it.
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$fleet/guest.p256" -subj /CN=guest 2>/dev/null | jq -Rs . >"$fleet/guest.request"
body() { printf '{"code":"%s","sign_key":"%s","seal_key":"%s","proof":"%s","request":%s}' "$1" "$2" "$3" "$4" "$(cat "$fleet/guest.request")"; }
ok "a code that was never given, with a proof that is none" enrol 422 "$(body "$(z 32)" "$(z 64)" "$(z 64)" "$(z 128)")"
ok "a code that is too short" enrol 422 "$(body 00 "$(z 64)" "$(z 64)" "$(z 128)")"
ok "a code that is not hex" enrol 422 "$(body "$(z 32 g)" "$(z 64)" "$(z 64)" "$(z 128)")"
ok "a key that is too long" enrol 422 "$(body "$(z 32)" "$(z 66)" "$(z 64)" "$(z 128)")"
ok "a point of low order as the key" enrol 422 "$(body "$(z 32)" "01$(z 62)" "$(z 64)" "$(z 128)")"
ok "a proof of all ones" enrol 422 "$(body "$(z 32)" "$(z 64 f)" "$(z 64)" "$(z 128 f)")"
ok "nothing" enrol 422 '{}'
ok "more than was asked for" enrol 422 '{"code":"x","roles":["builder"]}'
worker() { FAIRLEAD_STATE=$fleet/guest "$BUILD/fairlead-worker" enrol "$1"; }
rm -rf "$fleet/guest"
for text in '' x fairlead1 fairlead1.. 'fairlead1.zz.zz.http://x' "fairlead1.$(z 32).$(z 32).ftp://x" "fairlead1.$(z 32).$(z 32).http://$(z 400 a)" "--help-me" "fairlead1.$(z 32).$(z 32)"; do
  ok "the token \"${text:0:30}\"" bash -c ". '$root/tests/support/e2e.sh'; ! FAIRLEAD_STATE='$fleet/guest' timeout 20 '$BUILD/fairlead-worker' enrol '$text'"
done
ok "nothing was kept of them" test ! -e "$fleet/guest/node.json"
good=$("$fairlead" node invite guest)
# shellcheck disable=SC2001
ok "a token whose fingerprint is another's: whoever answers is not believed" bash -c "! FAIRLEAD_STATE='$fleet/guest' '$BUILD/fairlead-worker' enrol '$(sed 's/\.[0-9a-f]\{4\}\([0-9a-f]\{28\}\)\.http/.0000\1.http/' <<<"$good")'"
fresh=$("$fairlead" node invite guest)
ok "an older token is void once there is a newer one" bash -c "! FAIRLEAD_STATE='$fleet/guest' '$BUILD/fairlead-worker' enrol '$good'"
sql "update tokens set expires_at = now() - interval '1 second' where used_at is null" >/dev/null
ok "one that is older than an hour is void" bash -c "! FAIRLEAD_STATE='$fleet/guest' '$BUILD/fairlead-worker' enrol '$fresh'"
raced=$("$fairlead" node invite guest)
ok "one raced five times enrols one" test "$(seq 5 | xargs -P 5 -I{} bash -c "FAIRLEAD_STATE='$fleet/guest{}' '$BUILD/fairlead-worker' enrol '$raced' >/dev/null 2>&1 && echo yes || true" | wc -l)" = 1
joined=$(dirname "$fleet"/guest?/node.json)
cp "$joined/node.keys" "$fleet/guest.keys"
again() { FAIRLEAD_STATE=$joined "$BUILD/fairlead-worker" enrol "$("$fairlead" node invite guest)" && cmp "$joined/node.keys" "$fleet/guest.keys"; }
ok "a node that enrols again keeps its keys, and so what is sealed to them" again
# By hand, as protocol section 11 says: the proof is an Ed25519 signature over code and keys.
hex() { od -An -v -tx1 | tr -d ' \n'; }
unhex() { sed 's/../\\x&/g' | xargs -0 printf '%b'; }
key=$fleet/guest.pem
openssl genpkey -algorithm ed25519 -out "$key" 2>/dev/null
sign_key=$(openssl pkey -in "$key" -pubout -outform DER | tail -c 32 | hex)
seal_key=$(openssl genpkey -algorithm x25519 2>/dev/null | openssl pkey -pubout -outform DER | tail -c 32 | hex)
code=$("$fairlead" node invite guest | cut -d. -f2)
proved() { # CODE: the body of who holds the keys
  { printf 'DSSEv1 17 fairlead.enrol.v1 80 '; printf %s "$1$sign_key$seal_key" | unhex; } >"$fleet/guest.proved"
  body "$1" "$sign_key" "$seal_key" "$(openssl pkeyutl -sign -rawin -inkey "$key" -in "$fleet/guest.proved" | hex)"
}
joins() { answers "$1" POST /v1/enrol -H "Idempotency-Key: $2" -d "$(proved "$3")"; } # STATUS KEY CODE
remembered() { sql "select count(*) from requests where owner = 'enrol'"; }
is_unknown() {
  local before
  before=$(remembered)
  joins 401 never "$(z 32)" && code_is bad_code && [ "$(remembered)" = "$before" ]
}
ok "a code that was never given, well proved: nothing is kept of it" is_unknown
joins_twice() { joins 200 "$code" "$code" && cp "$fleet/body" "$fleet/welcome" && joins 200 "$code" "$code" && cmp "$fleet/body" "$fleet/welcome"; }
ok "one that asks again with its Idempotency-Key gets the same answer (P2)" joins_twice
ok "... another key gets none: the code is used up" joins 401 other "$code"
rm -rf "$fleet"/guest "$fleet"/guest?
finish
