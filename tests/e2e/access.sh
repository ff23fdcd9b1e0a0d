#!/usr/bin/env bash
# Who may ask: tokens end everywhere within a second, the database itself shows a customer no more than what is theirs, the last
# who may say who may stays, and the audit notices whatever is done to it (acceptance 15, 25, 26; P12, P30).
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/processes.sh
. "$root/tests/support/processes.sh"
# shellcheck source=../support/tenants.sh
. "$root/tests/support/tenants.sh"
customer=${FAIRLEAD_DATABASE_URL/fairlead_owner/fairlead_customer}
app=${FAIRLEAD_DATABASE_URL/fairlead_owner/fairlead_app}
second='' second_url=http://127.0.0.1:18091
end() {
  [ -z "$second" ] || kill "$second" 2>/dev/null || true
  "$root/deploy/dev/fleet" up >/dev/null
}
trap end EXIT
FAIRLEAD_STATE=$fleet/coordinator FAIRLEAD_PORT=18091 "$BUILD/fairlead-coordinator" api >"$fleet/second.log" 2>&1 &
second=$!
within 10 curl -fs "$second_url/readyz"
at_second() { # STATUS TOKEN: what the other coordinator answers
  [ "$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $2" "$second_url/v1/me")" = "$1" ]
}
everywhere() { tells "$1" "$2" GET /v1/me && at_second "$1" "$2"; }

# ---- tokens: made, rotated, revoked ----
ok "a token of this installation is known everywhere as soon as it is made" within 1 everywhere 200 "$boss"
ok "it shows what it is" grep -qE '^fl_[A-Za-z0-9_-]{48}$' <<<"$boss"
cut_off() { tells 401 "${boss%?}" GET /v1/me && has "$(cat "$fleet/body")" "not whole"; }
ok "one that was cut is told so" cut_off
rotated() {
  local old new newest
  old=$(id_of_token "$boss")
  tells 201 "$boss" POST "/v1/tokens/$old/rotate" -d '{"overlap_minutes":5}' || return 1
  new=$(jq -r .token "$fleet/body")
  within 1 everywhere 200 "$new" && everywhere 200 "$boss" || return 1
  sql_is "select expires_at < now() + interval '6 minutes' from access_tokens where id = '$old'" t || return 1
  tells 201 "$new" POST "/v1/tokens/$(id_of_token "$new")/rotate" -d '{"overlap_minutes":0}' || return 1
  newest=$(jq -r .token "$fleet/body")
  within 1 everywhere 401 "$new" && everywhere 200 "$newest"
}
ok "rotation: the new one opens, and so does the old until its time has passed" rotated
revoked() {
  local token
  token=$(token_of "$a/boss")
  within 1 everywhere 200 "$token" || return 1
  tells 204 "$boss" DELETE "/v1/tokens/$(id_of_token "$token")" && within 1 everywhere 401 "$token"
}
ok "a revoked token ends within a second, on every coordinator (25)" revoked
expired() {
  local token
  token=$(token_of "$a/boss")
  sql "update access_tokens set expires_at = now() + interval '1 second' where id = '$(id_of_token "$token")'" >/dev/null
  within 3 everywhere 401 "$token"
}
ok "... one whose time has passed, too" expired
member_gone() {
  local token
  made /v1/members "{\"name\":\"g$RANDOM\",\"customer\":\"$a\",\"role\":\"viewer\"}"
  local member
  member=$(jq -r .member "$fleet/body")
  token=$(token_of "$member")
  within 1 everywhere 200 "$token" && tells 204 "$boss" DELETE "/v1/members/$member" && within 1 everywhere 401 "$token"
}
ok "... those of a member that is removed, too" member_gone
role_changed() {
  tells 200 "$looker" GET /v1/instances && tells 403 "$looker" POST /v1/instances -d '{}' || return 1
  tells 200 "$boss" POST "/v1/members/$a/looker/role" -d '{"role":"administrator"}' || return 1
  within 1 tells 422 "$looker" POST /v1/instances -d '{}' || return 1
  tells 200 "$boss" POST "/v1/members/$a/looker/role" -d '{"role":"viewer"}' && within 1 tells 403 "$looker" POST /v1/instances -d '{}'
}
ok "another role counts at once" role_changed
role_row() {
  sql "update access_roles set scopes = array_append(scopes, 'audit.read') where name = 'viewer'" >/dev/null
  local rc=0
  within 1 tells 200 "$looker" GET /v1/audit || rc=1
  sql "update access_roles set scopes = array_remove(scopes, 'audit.read') where name = 'viewer'" >/dev/null
  within 1 tells 403 "$looker" GET /v1/audit || rc=1
  return $rc
}
ok "what a role may is a row: changed there, it counts at once" role_row
weaker() { # a token takes no stronger one of its member away
  local full
  full=$(token_of "$a/robot")
  tells 403 "$robot" DELETE "/v1/tokens/$(id_of_token "$full")" && code_is more_than_own && tells 200 "$full" GET /v1/me
}
ok "a token of less revokes none of more" weaker
replayed() { # the key of another token of the same member shows its secret to nobody else
  local full theirs
  full=$(token_of "$a/robot")
  tells 201 "$full" POST /v1/tokens -d '{"name":"ci"}' -H "Idempotency-Key: ci$tag" && theirs=$(jq -r .token "$fleet/body") || return 1
  tells 201 "$full" POST /v1/tokens -d '{"name":"ci"}' -H "Idempotency-Key: ci$tag" && [ "$(jq -r .token "$fleet/body")" = "$theirs" ] || return 1
  tells 201 "$robot" POST /v1/tokens -d '{"name":"ci"}' -H "Idempotency-Key: ci$tag" && [ "$(jq -r .token "$fleet/body")" != "$theirs" ]
}
ok "a token is shown again to the one that asked for it, and to no other of its member" replayed
outlived() {
  tells 201 "$operator" POST /v1/tokens -d "{\"name\":\"short\",\"member\":\"$a/boss\",\"days\":1}" || return 1
  tells 201 "$(jq -r .token "$fleet/body")" POST /v1/tokens -d '{"name":"long","days":3650}' || return 1
  sql_is "select expires_at < now() + interval '25 hours' from access_tokens where id = '$(jq -r .id "$fleet/body")'" t
}
ok "no token outlives the one that asked for it" outlived
ok "a body that is none is refused" tells 400 "$looker" POST /v1/tokens -d '{"name"'
stream_ends() {
  local token follower
  token=$(token_of "$a/boss")
  curl -sN -m 20 -H "Authorization: Bearer $token" -H 'Accept: text/event-stream' "$FAIRLEAD_SERVER/v1/instances/$mine/events" >"$fleet/stream" &
  follower=$!
  within 5 grep -q '^data' "$fleet/stream" || return 1
  tells 204 "$boss" DELETE "/v1/tokens/$(id_of_token "$token")" && within 2 gone "$follower"
}
ok "a stream that hangs on a token ends with it" stream_ends
ok "a stream of another's instance is not there" tells 404 "$boss" GET "/v1/instances/$theirs/events" -H 'Accept: text/event-stream'
used() { tells 200 "$boss" GET /v1/me && sql_is "select count(*) > 0 from access_tokens where used_at is not null and hint like 'fl_%'" t; }
ok "when a token was last used is written" within 40 used

# ---- the last of them ----
last() {
  tells 204 "$boss" DELETE "/v1/members/$a/robot" && tells 409 "$boss" DELETE "/v1/members/$a/boss" && code_is last_administrator
}
ok "the last administrator of a customer cannot be removed" last
ok "... nor get a role that is none" bash -c "[ $(as "$boss" POST "/v1/members/$a/boss/role" -d '{"role":"viewer"}') = 409 ]"
both_at_once() { # two administrators remove each other: one of them stays
  made /v1/customers "{\"name\":\"r$tag\",\"plan\":\"pa$tag\"}"
  local x y i
  for i in x y; do made /v1/members "{\"name\":\"$i\",\"customer\":\"r$tag\",\"role\":\"administrator\"}"; done
  x=$(token_of "r$tag/x") y=$(token_of "r$tag/y")
  curl -s -o /dev/null -X DELETE -H "Authorization: Bearer $x" "$FAIRLEAD_SERVER/v1/members/r$tag/y" &
  curl -s -o /dev/null -X DELETE -H "Authorization: Bearer $y" "$FAIRLEAD_SERVER/v1/members/r$tag/x"
  wait %+ 2>/dev/null || true
  sql_is "select count(*) from members m join customers c on c.id = m.customer_id where c.name = 'r$tag'" 1
}
ok "... also where two remove each other at once" both_at_once
last_way_in() { # who has no way in does not count: nobody could let anybody in any more
  tells 409 "$operator" DELETE /v1/members/-/operator && code_is last_administrator || return 1
  tells 409 "$operator" POST /v1/members/-/operator/role -d '{"role":"observer"}' || return 1
  tells 409 "$operator" DELETE "/v1/tokens/$(id_of_token "$operator")" && code_is last_way_in
}
ok "the provider's last way in stays, whoever else is a member without one" last_way_in
own_way() { # the token of the file is not the last while others can say who may
  sql_is "select count(*) > 1 from access_tokens t join members m on m.id = t.member_id where m.customer_id is null and m.role = 'operator' and t.revoked_at is null" t
}
ok "(there is another operator's token)" own_way

# ---- what is stored opens nothing ----
dump() { # no token that opens anything, in any form that would
  local text
  text=$(pg_dump -a "$superuser")
  [ "${#text}" -gt 10000 ] || { echo "the dump is ${#text} bytes"; return 1; }
  local t
  for t in "$operator" "$boss" "$looker" "$other_boss"; do lacks "$text" "$t" || return 1; done
}
superuser=${FAIRLEAD_DATABASE_URL/fairlead_owner@/postgres@}
ok "a dump of the database holds no token (15)" dump
stored_hash() { # what is stored is no token either
  local hash
  hash=$(sql "select encode(hash, 'hex') from access_tokens where id = '$(id_of_token "$boss")'")
  tells 401 "$hash" GET /v1/me
}
ok "... and the hash that it holds opens nothing" stored_hash

# ---- the second wall: PostgreSQL itself ----
a_id=$(sql "select id from customers where name = '$a'")
side_id=$(sql "select t.id from tenants t join customers c on c.id = t.customer_id where c.name = '$a' and t.name = 'side'")
as_customer() { psql -XAtq -v ON_ERROR_STOP=1 "$customer" -c "begin; select set_config('fairlead.customer', '$1', true), set_config('fairlead.tenant', '${3:-}', true); $2; commit" | tail -n +2; }
walled="customers tenants instances plans planes intents steps events members api_instances api_members api_tokens audit"
nothing() { # who says nothing sees nothing
  local t
  for t in $walled; do [ "$(psql -XAtq "$customer" -c "select count(*) from $t")" = 0 ] || { echo "$t"; return 1; }; done
}
ok "who logs in as a customer and does not say which sees nothing" nothing
not_theirs() {
  local t
  for t in $walled; do
    lacks "$(as_customer "$a_id" "select x::text from $t x")" zqzq || { echo "in $t"; return 1; }
  done
}
ok "a customer sees nothing of another's, in any table" not_theirs
theirs_all() { # the twin: all that is theirs is seen
  local t key
  for t in instances:customer_id tenants:customer_id members:customer_id customers:id; do
    key=${t#*:} t=${t%:*}
    [ "$(as_customer "$a_id" "select count(*) from $t")" = "$(sql "select count(*) from $t where $key = '$a_id'")" ] || { echo "$t"; return 1; }
  done
  for t in intents steps events; do
    [ "$(as_customer "$a_id" "select count(*) from $t")" = "$(sql "select count(*) from $t x join instances i on i.id = x.instance_id where i.customer_id = '$a_id'")" ] || { echo "$t"; return 1; }
  done
}
ok "... and all that is theirs" theirs_all
ok "... a member of one tenant no more than that" bash -c "[ \"$(as_customer "$a_id" "select count(*) from tenants" "$side_id")\" = 1 ]"
ok "... of which the instance of another tenant is no part" bash -c "[ \"$(as_customer "$a_id" "select count(*) from instances where id = '$mine'" "$side_id")\" = 0 ]"
denied() { ! as_customer "$a_id" "$1" 2>"$fleet/denied" && grep -q 'permission denied' "$fleet/denied"; }
for t in outbox documents access_tokens tokens recovery_boxes requests names timers works dead_letters audit_heads; do
  ok "... and may not look into $t" denied "select count(*) from (select * from $t) x"
done
ok "... nor at a hash of a token" denied "select hash from access_tokens"
ok "... nor at keys of nodes" denied "select sign_key from nodes"
for statement in "update instances set problem = 'x'" "insert into members (id) values (gen_random_uuid())" "delete from events" "update access_roles set scopes = '{*}'" \
  "select audit_append('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')"; do
  ok "... and changes nothing: ${statement%% set*}" denied "$statement"
done
every_table() { # each table with a tenant or a customer in it has the wall, forced
  sql_is "select coalesce(string_agg(c.relname, ' '), '') from pg_class c where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
    and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname in ('tenant_id', 'customer_id'))
    and not (c.relrowsecurity and c.relforcerowsecurity and exists (select from pg_policy p where p.polrelid = c.oid
      and 'fairlead_customer'::regrole = any (p.polroles)))" ''
}
ok "every table in which a tenant or a customer stands has the wall, forced" every_table
invoker() { # what a customer may look through runs with the customer's rights
  sql_is "select coalesce(string_agg(relname, ' '), '') from pg_class where relkind = 'v' and has_table_privilege('fairlead_customer', oid, 'select')
    and relnamespace = 'public'::regnamespace and not coalesce('security_invoker=true' = any (reloptions), false)" ''
}
ok "every view that a customer may look through runs with the customer's rights" invoker

# ---- the audit ----
verify() { "$fairlead" audit verify; }
ok "the audit is whole" verify
told() { # who, from where, what, which request
  tells 202 "$boss" POST "/v1/instances/$mine/stop" -d '{}' -H 'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' || return 1
  tells 200 "$boss" GET /v1/audit || return 1
  jq -e --arg p "/v1/instances/$mine/stop" '[.items[] | select(.object == $p and .act == "INSTANCE_STOP")] | length == 1 and (.[0] |
    .member and (.before | length) == 64 and (.after | length) == 64 and .before != .after and .address == "127.0.0.1" and .status == 202
    and .trace == "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" and (.request | length) == 36 and (.credential | length) == 36)' "$fleet/body"
}
ok "an act is told: who, from where, what, before and after, request, trace (26)" told
twice() { # an act that was asked for twice with one key is one act
  local i
  for i in 1 2; do tells 202 "$boss" POST "/v1/instances/$mine/start" -d '{}' -H "Idempotency-Key: k$tag" || return 1; done
  sql_is "select count(*) from audit where object = '/v1/instances/$mine/start'" 1
}
ok "... once, however often it is asked for" twice
seen() {
  tells 200 "$boss" GET "/v1/instances/$mine/credentials" && sql_is "select count(*) from audit where act = 'CREDENTIALS_GET' and object like '%$mine%'" 1
}
ok "that somebody looked at passwords is told, too" seen
ok "... and that another customer did not" bash -c "! grep -q zqzq <(curl -s -H 'Authorization: Bearer $boss' $FAIRLEAD_SERVER/v1/audit)"
refused_app() { ! psql -XAtq "$app" -c "$1" 2>"$fleet/denied" && grep -q 'permission denied' "$fleet/denied"; }
ok "the coordinator itself can change no row of it" refused_app "update audit set status = 0"
ok "... nor take one away" refused_app "delete from audit"
ok "... nor write one by itself" refused_app "insert into audit (chain, n) values (0, 1)"

# What somebody does who owns the database: each is noticed, and undone here. Heads are signed at the start of a clock.
kill_coordinator
"$root/deploy/dev/fleet" up >/dev/null
signed() { sql_is "select count(*) > 0 from audit_heads h join audit_chains c on c.chain = h.chain and c.n = h.n" t; }
ok "heads are signed" within 20 signed
ok "... published (26)" within 20 bash -c "kcat -C -q -e -b '$FAIRLEAD_KAFKA' -t fairlead.audit -o beginning | jq -e 'select(.n > 0 and (.signature | length) == 128)' >/dev/null"
ok "... and remembered" grep -qE '^0 [0-9]+ [0-9a-f]{64}$' "$fleet/coordinator/audit.heads"
killed() { # between the head that is signed and its line in the coordinator's folder
  tells 202 "$boss" POST "/v1/instances/$mine/stop" -d '{}' || return 1
  kill_coordinator
  start_coordinator audit.signed:kill
  within 20 gone "$(coordinator)" || return 1
  start_coordinator ''
  within 10 ready && within 20 verify && within 20 signed
}
ok "a coordinator that is killed as it signs leaves it whole" killed
super() { psql -XAtq "$superuser" -c "$1"; }
super 'create table audit_kept as table audit; create table chains_kept as table audit_chains; create table heads_kept as table audit_heads' >/dev/null
restore() {
  super 'begin; delete from audit_heads; delete from audit; delete from audit_chains; insert into audit_chains table chains_kept;
    insert into audit table audit_kept; insert into audit_heads table heads_kept; commit'
}
noticed() { # WORDS SQL
  super "$2" >/dev/null || return 1
  local rc=0 out
  out=$(verify) && rc=1
  restore >/dev/null
  [ $rc = 0 ] && has "$out" "$1" && verify
}
anew="do \$\$ declare r audit; h bytea := ''; begin
  for r in select * from audit where chain = 0 order by n loop
    h := sha256(h || convert_to(audit_text(r), 'UTF8'));
    update audit set hash = h where chain = 0 and n = r.n;
  end loop; update audit_chains set hash = h where chain = 0; end \$\$"
pages() { # all of it, a page at a time, each row once
  [ "$("$fairlead" audit list --limit 1000000 -o json | jq 'map("\(.chain).\(.n)") | unique | length')" = "$(sql 'select count(*) from audit')" ]
}
ok "it is listed a page at a time, each row once" pages
ok "... the newest first" bash -c "'$fairlead' audit list --limit 1000 -o json | jq -e '[.[].at] | . == (sort | reverse)'"
ok "a row that was changed is noticed (P30)" noticed "number 3: it, or the one before it, is not" "update audit set object = '/v1/nothing' where chain = 0 and n = 3"
ok "... one that was dropped" noticed "number 3: it is missing" "delete from audit where chain = 0 and n = 3"
ok "... two that changed places" noticed "number 3: it, or the one before it, is not" "update audit set n = -3 where chain = 0 and n = 3; update audit set n = 3 where chain = 0 and n = 4; update audit set n = 4 where chain = 0 and n = -3"
ok "... an end that was cut off" noticed "the end was cut off" "delete from audit where chain = 0 and n > 5"
ok "... with the chain's own count" noticed "the end was cut off" "delete from audit where chain = 0 and n > 5; update audit_chains set n = 5, hash = (select hash from audit where chain = 0 and n = 5) where chain = 0"
ok "... and the heads that were signed" noticed "the end was cut off" "delete from audit where chain = 0 and n > 5; update audit_chains set n = 5, hash = (select hash from audit where chain = 0 and n = 5) where chain = 0; delete from audit_heads where chain = 0"
ok "... a chain that was computed anew" noticed "computed anew" "update audit set object = '/v1/nothing' where chain = 0 and n = 3; $anew"
ok "... and its heads taken away" noticed "computed anew" "update audit set object = '/v1/nothing' where chain = 0 and n = 3; $anew; delete from audit_heads where chain = 0"
ok "... a chain that is gone altogether" noticed "the whole chain is gone" "delete from audit where chain = 0; delete from audit_heads where chain = 0; delete from audit_chains where chain = 0"
ok "... a row that was put behind the end" noticed "by nobody of ours" "insert into audit select (x).* from (select jsonb_populate_record(a, jsonb_build_object('n', a.n + 1, 'hash', '\\x00')) x from audit a where chain = 0 order by n desc limit 1) s; do \$\$ declare r audit; h bytea; begin select hash into h from audit_chains where chain = 0; select * into r from audit where chain = 0 order by n desc limit 1; update audit set hash = sha256(h || convert_to(audit_text(r), 'UTF8')) where chain = 0 and n = r.n; end \$\$"
unsigned() { # what contradicts what was signed is signed by no later start, and stays seen
  super "update audit set object = '/v1/nothing' where chain = 0 and n = 3; $anew; delete from audit_heads where chain = 0" >/dev/null
  kill_coordinator
  "$root/deploy/dev/fleet" up >/dev/null
  within 20 grep -q "is not what it was, and is not signed" "$fleet/coordinator.log" || return 1
  local rc=0
  ! verify && sql_is 'select count(*) from audit_heads where chain = 0' 0 || rc=1
  restore >/dev/null
  verify && return $rc
}
ok "... and is signed by no later start" unsigned
ok "... a head that somebody else signed" noticed "not ours" "update audit_heads set signature = decode(repeat('00', 64), 'hex') where chain = 0"
super 'drop table audit_kept; drop table chains_kept; drop table heads_kept' >/dev/null

# ---- the old token ----
file_token() { # another in the file takes its place
  local old new=fl-file-$RANDOM$RANDOM$RANDOM$RANDOM
  old=$(cat "$fleet/token")
  printf '%s\n' "$new" >"$fleet/token"
  kill_coordinator
  "$root/deploy/dev/fleet" up >/dev/null
  within 5 tells 200 "$new" GET /v1/me && within 2 everywhere 401 "$old"
}
ok "the token of the coordinator's file opens all; another in its place takes over" file_token
file_revoked() { # once it is revoked it stays so, whatever the file says
  local other
  operator=$(cat "$fleet/token")
  other=$(token_of "$b-op")
  tells 204 "$other" DELETE "/v1/tokens/$(id_of_token "$operator")" && within 2 everywhere 401 "$operator" || return 1
  kill_coordinator
  start_coordinator '' && within 10 ready && within 5 tells 200 "$other" GET /v1/me && tells 401 "$operator" GET /v1/me || return 1
  sql "update access_tokens set revoked_at = null where from_file and hint = '${operator:0:4}'" >/dev/null
  within 2 tells 200 "$operator" GET /v1/me
}
ok "... and revoked it stays so, also after a start" file_revoked

finish
