#!/usr/bin/env bash
# Bad inputs: Kafka records, at every topic that somebody reads. They are counted or kept, and delay nobody (P8).
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=common.sh
. "$root/tests/badinput/common.sh"
tag=$(date +%s)
dead() { sql "select count(*) from dead_letters"; }
put() { kcat -P -b "$FAIRLEAD_KAFKA" "$@"; }
node=$(sql "select replace(id::text, '-', '') from nodes where name = 'slave'")
# shellcheck disable=SC2001
node_bytes() { sed 's/../\\x&/g' <<<"$node"; }
kept() { # NAME COMMAND...: one more dead letter, and a neighbour that is not delayed
  local before
  before=$(dead)
  "${@:2}" || return 1
  within 15 sql_is "select count(*) > $before from dead_letters" t
}
keyed() { # BYTES: as the slave, whose key it is not
  printf "%b" "$(node_bytes)" >"$fleet/key"
  printf "%b" "$1" | perl -e 'local $/; my $v = <STDIN>; open my $k, "<", $ARGV[0]; my $key = <$k>; print $key . "\x01SEP\x01" . $v . "\x02END\x02"' "$fleet/key" >"$fleet/record"
  put -t fairlead.reports -K $'\x01SEP\x01' -D $'\x02END\x02' -l "$fleet/record"
}
report() { printf "%b" "$1" | put -t fairlead.reports "${@:2}"; }
report_of_nothing() {
  printf '0123456789abcdef\x01SEP\x01\x02END\x02' >"$fleet/record"
  put -t fairlead.reports -K $'\x01SEP\x01' -D $'\x02END\x02' -l "$fleet/record"
}
ok "an empty report" kept "" report_of_nothing
ok "one byte" kept "" report 'x' -k 0123456789abcdef
ok "no key" kept "" report 'garbage'
ok "a key that is no node" kept "" report 'garbage' -k nonsense
ok "a node's key and no envelope" kept "" keyed 'garbage'
ok "a node's key and an envelope without a signature" kept "" keyed '\x0a\x13fairlead.reports.v1\x12\x00'
ok "... of another type" kept "" keyed '\x0a\x12fairlead.orders.v1\x12\x00'
ok "... of a type that nobody knows" kept "" keyed '\x0a\x03abc\x12\x00'
ok "... with a signature of zeros" kept "" keyed "\\x0a\\x13fairlead.reports.v1\\x12\\x00\\x22\\x40$(printf '\\x00%.0s' {1..64})"
ok "900 KB of nothing" kept "" bash -c "head -c 900000 /dev/zero | kcat -P -b '$FAIRLEAD_KAFKA' -t fairlead.reports -k 0123456789abcdef -D $'\x02END'"
ok "compressed" kept "" bash -c "head -c 900000 /dev/zero | kcat -P -b '$FAIRLEAD_KAFKA' -t fairlead.reports -k 0123456789abcdef -z gzip -D $'\x02END'"
ok "a thousand headers" kept "" bash -c "echo x | kcat -P -b '$FAIRLEAD_KAFKA' -t fairlead.reports -k 0123456789abcdef $(for i in $(seq 1000); do printf -- "-H h%d=v " "$i"; done)"
for kind in resolve build dns probe noop; do
  ok "nonsense among the orders of $kind is refused by its readers" bash -c "printf garbage | kcat -P -b '$FAIRLEAD_KAFKA' -t fairlead.orders.$kind && printf '' | kcat -P -b '$FAIRLEAD_KAFKA' -t fairlead.orders.$kind -k x"
done
ok "... and said so" within 15 grep -q 'a record was refused.*fairlead.orders' "$fleet/server.log"
# Whoever owns the broker moves orders of the dns role to a topic that every node reads.
moved() {
  "$fairlead" instance create testapp "moved$tag" --size tiny --wait --timeout 120 >/dev/null || return 1
  local partition offset
  while read -r partition offset; do
    kcat -C -q -e -b "$FAIRLEAD_KAFKA" -t fairlead.orders.dns -p "$partition" -o "$offset" -c 1 -D '' >"$fleet/record"
    ! grep -aq dns/provider "$fleet/record" || break
  done < <(kcat -C -q -e -b "$FAIRLEAD_KAFKA" -t fairlead.orders.dns -o beginning -f '%p %o\n')
  put -t fairlead.orders.noop "$fleet/record" && within 15 grep -qE 'a record was refused.*fairlead.orders.noop.*dns/provider' "$fleet/server.log" "$fleet/slave.log"
  "$fairlead" instance delete "moved$tag" --purge --wait --timeout 60 >/dev/null
}
"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
ok "an order in another role's topic is refused (P13)" moved
for value in garbage '' "$(printf '\x0a\x14fairlead.document.v1')"; do
  ok "nonsense in a node's topic is refused" bash -c "printf '%s' '$value' | kcat -P -b '$FAIRLEAD_KAFKA' -t fairlead.node.$node -k k"
done
ok "... and a tombstone is only compaction" bash -c "printf 'k:' | kcat -P -b '$FAIRLEAD_KAFKA' -t fairlead.node.$node -K : -Z"
ok "... and said so" within 15 grep -q 'a record was refused' "$fleet/slave.log"
ok "neighbours are not delayed" bash -c ". '$root/tests/support/e2e.sh'; answers 202 POST /v1/instances -d '$(noop "k$tag")' && within 10 state_is k$tag running"
ok "every worker lives" bash -c "kill -0 \$(cat '$fleet/server.pid') && kill -0 \$(cat '$fleet/slave.pid') && kill -0 \$(cat '$fleet/coordinator.pid')"
ok "a dead letter is shown with its bytes" bash -c "'$fairlead' dead-letter list | grep -q fairlead.reports"
# A flood of them: counted, each, but only so much is kept of one sender (protocol section 8).
sql "delete from dead_letters" >/dev/null
counted() { curl -fsS -H "Authorization: Bearer $(cat "$FAIRLEAD_TOKEN_FILE")" "$FAIRLEAD_SERVER/metrics" | sed -n 's/^fairlead_reports_total{result="dead"} //p'; }
flood() { head -c 3000000 /dev/zero | tr '\0' x | fold -w 1000 | put -t fairlead.reports -k 0123456789abcdef; }
before=$(counted)
flood
counted_all() { [ $(($(counted) - before)) -ge 3000 ]; }
ok "a flood of them is counted" within 30 counted_all
ok "... and kept up to a mebibyte of one sender" sql_is "select sum(length(bytes) + 200) between 1000000 and 1048576 from dead_letters" t
ok "... which takes no room from another" kept "" keyed 'garbage'
sql "delete from dead_letters" >/dev/null
finish
