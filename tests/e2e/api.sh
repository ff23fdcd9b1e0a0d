#!/usr/bin/env bash
# The API from outside: refusals with a sentence, keys that remember, quotas, and the loop with a no-op instance.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
tag=$(date +%s)

ok "the process lives" answers 200 GET /healthz
ok "the database answers" answers 200 GET /readyz
ok "without a token nothing is said (401)" test "$(curl -s -m 5 -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer wrong-token-wrong-token' "$FAIRLEAD_SERVER/v1/plans")" = 401
ok "an unknown address is 404" answers 404 GET /v1/nothing
ok "a wrong method is 405" answers 405 POST /v1/apps -d '{}'
ok "JSON that is none is 400" answers 400 POST /v1/customers -d '{"name":'
ok "a key that stands twice is 400" answers 400 POST /v1/customers -d '{"name":"a","name":"b"}'
ok "an unknown field is 422" answers 422 POST /v1/customers -d '{"name":"x","plan":"trial","role":"root"}'
ok "... also where nothing is to be said" answers 422 POST /v1/clock/accept -d '{"reports":"AAAA"}'
ok "a name of 21 characters is 422" answers 422 POST /v1/customers -d '{"name":"aaaaaaaaaaaaaaaaaaaaa","plan":"trial"}'
ok "a customer of an unknown plan is 422" answers 422 POST /v1/customers -d '{"name":"nobody","plan":"none"}'
head -c 300000 /dev/zero | tr '\0' x >"$fleet/large"
ok "a body over the limit is 413" answers 413 POST /v1/customers --data-binary "@$fleet/large"
ok "a chunked body is 411" answers 411 POST /v1/customers -H 'Transfer-Encoding: chunked' -d '{}'
ok "two lengths are 400" bash -c "printf 'POST /v1/plans HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}' |
  timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/${FAIRLEAD_SERVER##*:}; cat >&3; head -n 1 <&3' | grep -q ' 400 '"

ok "an instance of an unknown app is 422 with its code" bash -c ". '${BASH_SOURCE[0]%/*}/../support/e2e.sh'; answers 422 POST /v1/instances -d '$(noop "u$tag" | sed s/noop/nope/)' && code_is unknown_app"
ok "a no-op instance is accepted" answers 202 POST /v1/instances -H "Idempotency-Key: k$tag" -d "$(noop "n$tag")"
first=$(jq -r .id "$fleet/body")
ok "the same key gives the same answer (P2)" answers 202 POST /v1/instances -H "Idempotency-Key: k$tag" -d "$(noop "n$tag")"
ok "... and the same instance" test "$(jq -r .id "$fleet/body")" = "$first"
ok "the same key with another body is 422 (P2)" answers 422 POST /v1/instances -H "Idempotency-Key: k$tag" -d "$(noop "m$tag")"
ok "the same name without a key is 409" answers 409 POST /v1/instances -d "$(noop "n$tag")"
ok "it runs through API, Kafka, worker and back (P1)" within 20 state_is "n$tag" running
ok "its events are two, in order" sql_is "select string_agg(sequence || type, ',' order by sequence) from events where instance_id = '$first'" 1created,2running
ok "nothing is left in the outbox (P3)" within 10 sql_is 'select count(*) from outbox' 0
ok "a stale If-Match is 412" answers 412 POST "/v1/instances/$first/stop" -H 'If-Match: "99"' -d '{}'
ok "a fresh one is taken" answers 202 POST "/v1/instances/$first/stop" -H 'If-Match: "1"' -d '{}'
ok "starting what runs is refused with a sentence" bash -c ". '${BASH_SOURCE[0]%/*}/../support/e2e.sh'; api POST /v1/instances/$first/start -d '{}' >/dev/null; within 10 state_is n$tag running; answers 409 POST /v1/instances/$first/start -d '{}' && code_is wrong_state"
ok "a foreign identity is 404" answers 404 GET /v1/instances/00000000-0000-7000-8000-0000000000ff

# A thousand want one dedicated plane, each for a customer of its own choice (acceptance 4).
"$fairlead" plan create "d$tag" --modes dedicated >/dev/null
for n in 0 1 2 3 4 5 6 7 8 9; do "$fairlead" customer create "d$n$tag" --plan "d$tag" >/dev/null; done
for n in $(seq 1000); do
  [ "$n" = 1 ] || echo next
  printf 'url = "%s/v1/planes"\noutput = "/dev/null"\nsilent\nwrite-out = "%%{http_code}\\n"\nheader = "Authorization: Bearer %s"\nheader = "Content-Type: application/json"\ndata = "{\\"name\\":\\"dp%s\\",\\"mode\\":\\"dedicated\\",\\"customer\\":\\"d%s%s\\",\\"domain\\":\\"dp.test\\",\\"recovery_key\\":\\"%064d\\"}"\n' \
    "$FAIRLEAD_SERVER" "$(cat "$fleet/token")" "$tag" $((n % 10)) "$tag" 1
done >"$fleet/thousand"
attached() { curl -Z --parallel-max 100 -K "$fleet/thousand" 2>/dev/null | sort | uniq -c | awk '{print $2 ":" $1}' | paste -sd' '; }
ok "of a thousand that want one dedicated plane at once one gets it" test "$(attached)" = "201:1 409:999"
ok "... whose it is" sql_is "select count(*) from planes p join customers c on c.id = p.customer_id where p.name = 'dp$tag'" 1
ok "... until it goes" "$fairlead" plane delete "dp$tag"
ok "a plan with room for one" answers 201 POST /v1/plans -d "{\"name\":\"p$tag\",\"modes\":[\"shared\"],\"max_instances\":1}"
ok "its customer" answers 201 POST /v1/customers -d "{\"name\":\"c$tag\",\"plan\":\"p$tag\"}"
ok "its tenant" answers 201 POST /v1/tenants -d "{\"name\":\"t\",\"customer\":\"c$tag\"}"
small=$(noop one | sed "s/e2e/c$tag/; s/main\"/t\"/; s/\"plane\":\"t\"/\"plane\":\"main\"/")
ok "the first fits" answers 202 POST /v1/instances -d "$small"
ok "the second is 403 (row 6)" answers 403 POST /v1/instances -d "${small/one/two}"
ok "... with the number" has "$(jq -r .detail "$fleet/body")" "allows 1 instances"
ok "a customer in use is not deleted: 409 names why" answers 409 DELETE "/v1/customers/c$tag"

# 50 at once with one key: one instance.
seq 50 | xargs -P 10 -I{} curl -s -o /dev/null -m 20 -X POST -H "Authorization: Bearer $(cat "$fleet/token")" -H 'Content-Type: application/json' \
  -H "Idempotency-Key: race$tag" -d "$(noop "r$tag")" "$FAIRLEAD_SERVER/v1/instances"
ok "a key raced 50 times makes one (P2)" sql_is "select count(*) from instances where name = 'r$tag'" 1
# A batch with rows that must not exist: their neighbours succeed.
seq 40 | xargs -P 20 -I{} curl -s -o /dev/null -m 20 -X POST -H "Authorization: Bearer $(cat "$fleet/token")" -H 'Content-Type: application/json' \
  -d "$(noop "b$tag-XX" | sed 's/XX/{}/')" "$FAIRLEAD_SERVER/v1/instances"
ok "40 side by side all run" within 20 sql_is "select count(*) from instances where name like 'b$tag-%' and state = 'running'" 40

# A transaction of somebody holds a row: who asks about it is told to come again, who asks for another is served.
held_row() {
  local asker rc=0
  psql -Xqc "begin; select from instances where id = '$first' for update; select pg_sleep(25)" "$FAIRLEAD_DATABASE_URL" >/dev/null 2>&1 &
  within 5 sql_is "select count(*) from pg_stat_activity where query like '%pg_sleep(25)' and wait_event = 'PgSleep'" 1 || rc=1
  curl -s -m 30 -o "$fleet/held" -w '%{http_code}' -X POST -H "Authorization: Bearer $(cat "$fleet/token")" -H "Content-Type: application/json" -d "{}" "$FAIRLEAD_SERVER/v1/instances/$first/stop" >"$fleet/held.status" &
  asker=$!
  answers 202 POST /v1/instances -d "$(noop "held$tag")" || rc=1
  wait "$asker"
  [ "$(cat "$fleet/held.status")" = 503 ] || { cat "$fleet/held.status" "$fleet/held"; rc=1; }
  sql "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(25)' and wait_event = 'PgSleep'" >/dev/null
  return $rc
}
ok "a row that somebody holds keeps nobody else waiting" held_row

# Releases: a version stays what it is, and what turned out to be bad is offered no more.
release() { printf '{"app":"rel%s","template":"","spec":{"title":"R","summary":"%s","version":"%s","noop":true}}' "$tag" "$2" "$1"; } # VERSION SUMMARY
made_of() { # VERSION CREATE-FIELDS...: which release a new instance is of
  "$fairlead" instance create "rel$tag" "rel$RANDOM" "${@:2}" -o json >"$fleet/made" 2>"$fleet/said" || { cat "$fleet/said"; return 1; }
  [ "$("$fairlead" instance get "$(jq -r .id "$fleet/made")" -o json | jq -r .version)" = "$1" ]
}
ok "a release" answers 201 POST /v1/releases -d "$(release 1 first)"
ok "the same once more is there already" bash -c ". '${BASH_SOURCE[0]%/*}/../support/e2e.sh'; answers 409 POST /v1/releases -d '$(release 1 first)' && code_is exists"
ok "other contents under its version are refused" bash -c ". '${BASH_SOURCE[0]%/*}/../support/e2e.sh'; answers 409 POST /v1/releases -d '$(release 1 second)' && code_is other_contents"
ok "a later one" answers 201 POST /v1/releases -d "$(release 2 second)"
ok "the newest is taken" made_of 2
"$fairlead" app default "rel$tag/1" >/dev/null
ok "... until another is the default" made_of 1
ok "... or one is asked for" made_of 2 --version 2
"$fairlead" app default "rel$tag/2" >/dev/null && "$fairlead" app withdraw "rel$tag/2" >/dev/null
ok "what is withdrawn is not taken, though it was the default" made_of 1
ok "... nor by its name, and the answer says why" bash -c "! '$fairlead' instance create 'rel$tag' no --version 2 2>'$fleet/said' && grep -q 'Version 2 of .* is withdrawn' '$fleet/said'"
ok "... nor made the default" answers 409 POST "/v1/releases/rel$tag/2/default" -d '{}'
ok "the catalogue says so" bash -c "'$fairlead' app get 'rel$tag' -o json | jq -e '.default == \"1\" and .versions == [\"1\"] and .withdrawn == [\"2\"]'"
"$fairlead" app offer "rel$tag/2" >/dev/null
ok "offered again, it is the default that it was" made_of 2
ok "a release that is not there is 404" answers 404 POST "/v1/releases/rel$tag/3/withdraw" -d '{}'

# Every other POST remembers its key too (P2).
twice() { # STATUS PATH: the same key, the same answer; it is kept in $heard
  answers "$1" POST "$2" -H "Idempotency-Key: twice$tag$2" -d '{}' && heard=$(cat "$fleet/body") &&
    answers "$1" POST "$2" -H "Idempotency-Key: twice$tag$2" -d '{}' && [ "$(cat "$fleet/body")" = "$heard" ] &&
    sql_is "select count(*) from requests where key = 'twice$tag$2'" 1
}
"$fairlead" node create "i$tag" --plane main --roles dns --address 127.0.0.6 >/dev/null
ok "an invitation asked for twice with one key is one" twice 201 "/v1/nodes/i$tag/invite"
token=$(jq -r .token <<<"$heard")
ok "... its code is stored nowhere but as a hash" sql_is "select count(*) from requests where answer like '%fairlead1%'" 0
ok "... and another key is another invitation" bash -c "! '$fairlead' node invite i$tag | grep -qF '$token'"
ok "an invitation of a node that is not there is 404, twice" twice 404 "/v1/nodes/nobody$tag/invite"
ok "a clock accepted twice" twice 200 /v1/clock/accept
ok "a confirmation twice" twice 204 "/v1/instances/$(sql 'select id from instances limit 1')/credentials/confirm"
dead=$(sql "insert into dead_letters (id, source, node_id, reason, bytes, created_at) select gen_random_uuid(), 'fairlead.reports', id, 'test', 'x', now() from nodes limit 1 returning id")
ok "a dead letter's retry, though the first took it away" twice 202 "/v1/dead-letters/$dead/retry"
ok "... which another key is told" answers 404 POST "/v1/dead-letters/$dead/retry" -d '{}'
ok "... and it comes back, being no better" within 20 sql_is "select count(*) from dead_letters where bytes = 'x'" 1
sql "delete from dead_letters where bytes = 'x'" >/dev/null
deleted() { answers "$1" DELETE "/v1/nodes/i$tag" -H "Idempotency-Key: gone$tag$2"; }
ok "a record deleted" deleted 204 a
ok "... whose answer was lost: the same key hears it again" deleted 204 a
ok "... and another one that it is not there" deleted 404 b
ok "the state table is enforced by the database" bash -c "! psql -Xq '$FAIRLEAD_DATABASE_URL' -c \"update instances set state = 'new' where id = '$first'\""
ok "events cannot be changed by the application's role" bash -c "! psql -Xq '$FAIRLEAD_DATABASE' -c \"delete from events\""
ok "usage errors exit with 2" bash -c "'$fairlead' instance create; test \$? = 2"
ok "... also a name without its second part" bash -c "'$fairlead' size get s9 2>'$fleet/test.err'; test \$? = 2 && grep -q 'no PLANE/SIZE' '$fleet/test.err'"
for program in "fairlead plan list" "fairlead-coordinator catalogue" "fairlead-worker config"; do
  ok "what ${program%% *} cannot write is an error" bash -c "'$BUILD'/$program >/dev/full 2>'$fleet/test.err'; test \$? = 1 && grep -q 'the output cannot be written' '$fleet/test.err'"
done
ok "a server that is away exits with 4" bash -c "'$fairlead' plan list --server http://127.0.0.1:1; test \$? = 4"
ok "events can be followed live (SSE)" bash -c "timeout 5 curl -sN -H 'Accept: text/event-stream' -H 'Authorization: Bearer $(cat "$fleet/token")' $FAIRLEAD_SERVER/v1/instances/$first/events | grep -m1 -q 'event: created'"
finish
