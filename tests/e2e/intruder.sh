#!/usr/bin/env bash
# A customer who puts identities of another into each place of each request: nothing of the other's is told, and nothing of it
# changes (acceptance 15, 17). INTRUDER_SECONDS: for how long [20].
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/tenants.sh
. "$root/tests/support/tenants.sh"
b_id=$(sql "select id from customers where name = '$b'")
second=$(instance_of "$b" zqzqsecond "$b-plane")
printf '%s\n' "$boss" "$looker" "$limited" "$robot" >"$fleet/tokens"
printf '%s\n' "$a" main side "$a/main" "$a/boss" "$mine" boss noop small viewer administrator 127.0.0.1 pa"$tag" mine 2027-01-01 >"$fleet/mine"
printf '%s\n' "$b" "$b/main" "$b/boss" "$b/looker" "$b-plan" "$b-plane" "$b-plane/small" "$b-node" "$theirs" "$b_id" zqzqtheirs \
  "$(id_of_token "$other_boss")" "$(sql "select id from members where customer_id = '$b_id' and name = 'boss'")" \
  "$(sql "select id from tenants where customer_id = '$b_id'")" >"$fleet/theirs"
# What no request names: identities of rows, a title, what a token begins with.
{
  printf '%s\n' 'zqzq title' 'zqzq tenant' "$second" zqzqsecond
  sql "select hint from access_tokens t join members m on m.id = t.member_id where m.customer_id = '$b_id'"
  sql "select id from members where customer_id = '$b_id' and name = 'robot'"
  sql "select encode(hash, 'hex') from audit where customer_id = '$b_id'"
} >"$fleet/secrets"
rows_of_b() {
  sql "select md5(string_agg(x, ',' order by x)) from (
    select i.id || i.state || i.accepted || i.name || i.inputs::text as x from instances i where customer_id = '$b_id'
    union all select m.id || m.role || m.name || coalesce(m.tenant_id::text, '') from members m where customer_id = '$b_id'
    union all select t.id || coalesce(t.revoked_at::text, '') || coalesce(t.expires_at::text, '') from access_tokens t join members m on m.id = t.member_id where m.customer_id = '$b_id'
    union all select id || name || title from tenants where customer_id = '$b_id'
    union all select c.instance_id || c.name || coalesce(c.confirmed_at::text, '') from credentials c join instances i on i.id = c.instance_id where i.customer_id = '$b_id') s"
}
within 20 sql_is "select count(*) from instances where customer_id = '$b_id' and state <> 'running'" 0
before=$(rows_of_b)
seed=${INTRUDER_SEED:-$RANDOM}
intrude() { "$BUILD/tests/support/intruder" "$FAIRLEAD_SERVER" "$fleet/tokens" "$fleet/mine" "$fleet/theirs" "$fleet/secrets" "${INTRUDER_SECONDS:-20}" "$seed"; }
ok "identities of another customer in every place of every request open nothing (seed $seed)" intrude
tail -n 1 "$fleet/test.out" | sed 's/^/     /'
unchanged() { [ "$(rows_of_b)" = "$before" ]; }
ok "... and nothing of the other's has changed" unchanged
judge() { # the test itself can fail: what is one's own, asked for as if it were another's
  printf '%s\n' "$mine" "$a/boss" "$a" >"$fleet/theirs"
  ! "$BUILD/tests/support/intruder" "$FAIRLEAD_SERVER" "$fleet/tokens" "$fleet/mine" "$fleet/theirs" "$fleet/secrets" 10 1
}
ok "(it would have seen one that is answered)" judge
finish
