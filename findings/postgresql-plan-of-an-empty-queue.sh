#!/usr/bin/env bash
# PostgreSQL 15 (Debian 12): a queue. Its table has the primary key (lane, id); rows are inserted, read and deleted at once, so
# that whenever its statistics are taken it is as good as empty. A prepared statement deletes what was done:
# delete ... where lane = $1 and id = any($2).
# guess:     the key has both columns and both are given: each id is looked up, and what was deleted before costs nothing.
# behaviour: where a lane has a row or two, to filter these costs less than to look up three ids, so the plan looks up the lane
#            alone: each delete reads every row that was ever deleted of that lane, until vacuum comes. Bounds that are a range,
#            "and id >= least and id <= greatest", are looked up with the lane by any plan.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
version=15.20-0+deb12u1
unpack postgresql-15=$version postgresql-client-15=$version libpq5=$version
bin=$work/root/usr/lib/postgresql/15/bin
as() { setpriv --reuid nobody --regid nogroup --clear-groups env "LD_LIBRARY_PATH=$LD_LIBRARY_PATH" "$@"; }
chmod 755 "$work" && install -d -o nobody -g nogroup "$work/db"
as "$bin/initdb" -D "$work/db/data" -U postgres -A trust >/dev/null
as "$bin/postgres" -D "$work/db/data" -k "$work/db" -c listen_addresses= -c autovacuum=off >"$work/log" 2>&1 &
started+=($!)
sql() { "$bin/psql" -XAtq -h "$work/db" -U postgres "$@"; }
within 20 sql -c 'select 1'
sql -c 'create table queue (lane int, id bigint generated always as identity, value text, primary key (lane, id))' \
  -c "insert into queue (lane, value) select n % 9, 'x' from generate_series(1, 9) n" -c 'vacuum analyze queue' \
  -c "insert into queue (lane, value) select 1, 'x' from generate_series(1, 20000)" -c 'delete from queue'
explained() { # CONDITION: how the rows of three ids are found, and the pages that were read for it
  sql -c 'set enable_seqscan = off' -c 'set plan_cache_mode = force_generic_plan' -c 'set enable_bitmapscan = off' \
    -c "prepare done (int, bigint[]) as delete from queue where lane = \$1 and id = any(\$2) $1" \
    -c "explain (analyze, buffers, costs off, timing off, summary off) execute done (1, '{20001,20002,20003}')"
}
plain=$(explained '')
ranged=$(explained 'and id >= (select min(n) from unnest($2) n) and id <= (select max(n) from unnest($2) n)')
condition() { sed -n 's/^ *Index Cond: *//p' <<<"$1"; }
pages() { grep -m 1 -oE 'shared hit=[0-9]+' <<<"$1" | grep -oE '[0-9]+'; }
seen "looked up: (lane = \$1)" "looked up: $(condition "$plain")"
seen "pages, more than 100: yes" "pages, more than 100: $([ "$(pages "$plain")" -gt 100 ] && echo yes || pages "$plain")"
seen "with a range, ids are looked up: yes" "with a range, ids are looked up: $(condition "$ranged" | grep -q 'id >=' && echo yes)"
seen "pages, fewer than 20: yes" "pages, fewer than 20: $([ "$(pages "$ranged")" -lt 20 ] && echo yes || pages "$ranged")"
