#!/usr/bin/env bash
# Bad inputs: JSON.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=common.sh
. "$root/tests/badinput/common.sh"
bad() { refused "$1" POST "${3:-/v1/customers}" --data-binary "$2"; }
file() { # NAME: what comes in, as a file for curl
  cat >"$fleet/json.$1"
  echo "@$fleet/json.$1"
}
ok "nesting of 100,000" bad 400 "$( (head -c 100000 /dev/zero | tr '\0' '[') | file deep)"
ok "nesting of 33" bad 400 "$(printf '[%.0s' {1..33})$(printf ']%.0s' {1..33})"
ok "a key that stands twice" bad 400 '{"name":"a","plan":"trial","name":"b"}'
ok "a number beyond every double" bad 400 '{"name":"a","plan":"trial","title":1e400}'
ok "NaN" bad 400 '{"name":NaN}'
ok "Infinity" bad 400 '{"name":Infinity}'
ok "minus zero where a text is wanted" bad 422 '{"name":-0,"plan":"trial"}'
ok "2^53+1 where days are wanted" bad 422 '{"name":"p","modes":["shared"],"trial_days":9007199254740993}' /v1/plans
ok "2^63" bad 400 '{"name":"p","modes":["shared"],"trial_days":9223372036854775808}' /v1/plans
ok "a real where a whole number is wanted" bad 422 '{"name":"p","modes":["shared"],"trial_days":1.5}' /v1/plans
ok "a lone surrogate" bad 400 '{"name":"a","plan":"trial","title":"\ud800"}'
ok "a NUL in a text" bad 400 '{"name":"a","plan":"trial","title":"a\u0000b"}'
ok "a text of 250 KB" bad 422 "$( (printf '{"name":"a","plan":"trial","title":"'; head -c 250000 /dev/zero | tr '\0' x; printf '"}') | file long)"
ok "garbage behind the end" bad 400 '{"name":"a","plan":"trial"} trailing'
ok "two documents" bad 400 '{"name":"a","plan":"trial"}{"name":"b","plan":"trial"}'
ok "an unknown field" bad 422 '{"name":"a","plan":"trial","admin":true}'
for field in tenant_id role generation fence id state created_at; do
  ok "mass assignment: $field" bad 422 "{\"name\":\"a\",\"plan\":\"trial\",\"$field\":\"x\"}"
done
ok "null for what is required" bad 422 '{"name":null,"plan":"trial"}'
ok "a list for a scalar" bad 422 '{"name":["a"],"plan":"trial"}'
ok "an object for a scalar" bad 422 '{"name":{"a":1},"plan":"trial"}'
ok "a scalar for a list" bad 422 '{"name":"p","modes":"shared"}' /v1/plans
ok "a list of the wrong kind" bad 422 '{"name":"p","modes":[1]}' /v1/plans
ok "an empty list where one is wanted" bad 422 '{"name":"p","modes":[]}' /v1/plans
ok "no body" bad 422 ''
ok "a lone text" bad 400 '"name"'
ok "a list at the top" bad 422 '[]'
ok "comments" bad 400 '{"name":"a" /* b */}'
ok "single quotes" bad 400 "{'name':'a'}"
ok "a comma too many" bad 400 '{"name":"a",}'
for name in '' a- -a A 'a b' a_b 'a.b' 'a/b' '../a' "a'b" 'a;b' '\u00e4' 1a aaaaaaaaaaaaaaaaaaaaa; do
  ok "the name \"$name\"" bad 422 "{\"name\":\"$name\",\"plan\":\"trial\"}"
done
make() { printf '{"app":"testapp","name":"bad","customer":"e2e","tenant":"main","plane":"main","size":"tiny","inputs":%s}' "$1"; }
ok "an input that the app does not ask for" bad 422 "$(make '{"nonsense":"x"}')" /v1/instances
ok "an input that is longer than it may be" bad 422 "$(make "{\"title\":\"$(head -c 300 /dev/zero | tr '\0' x)\"}")" /v1/instances
ok "an input that is no text" bad 422 "$(make '{"title":{"a":"b"}}')" /v1/instances
ok "10,000 inputs" bad 422 "$(make "{$(for i in $(seq 9999); do printf '"a%d":"",' "$i"; done)\"z\":\"\"}" | file many)" /v1/instances
ok "a host with a dot" bad 422 '{"app":"noop","name":"bad","customer":"e2e","tenant":"main","plane":"main","host":"a.b"}' /v1/instances
ok "days below zero" bad 422 '{"app":"noop","name":"bad","customer":"e2e","tenant":"main","plane":"main","trial_days":-1}' /v1/instances
ok "the process lives on" alive_still
finish
