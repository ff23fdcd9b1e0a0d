#!/usr/bin/env bash
# PostgreSQL 15 (Debian 12): a table with row level security, forced, and a policy that lets its owner see every row. The owner,
# who is no superuser, dumps the database.
# guess:     the policy is there so that the owner sees everything: the dump is whole, as before the wall was built.
# behaviour: pg_dump refuses, whatever the policies say: it asks with row_security off, which is an error wherever a policy would
#            be looked at, even one that is "true". So a backup that has run for years ends on the day that a table is forced.
#            With --enable-row-security it is dumped, whole or cut as the policies say, and nothing in the dump says which.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
version=15.20-0+deb12u1
unpack postgresql-15=$version postgresql-client-15=$version libpq5=$version
bin=$work/root/usr/lib/postgresql/15/bin
as() { setpriv --reuid nobody --regid nogroup --clear-groups env "LD_LIBRARY_PATH=$LD_LIBRARY_PATH" "$@"; }
chmod 755 "$work" && install -d -o nobody -g nogroup "$work/db"
as "$bin/initdb" -D "$work/db/data" -U postgres -A trust >/dev/null
as "$bin/postgres" -D "$work/db/data" -k "$work/db" -c listen_addresses= >"$work/log" 2>&1 &
started+=($!)
sql() { "$bin/psql" -XAtq -h "$work/db" -U "$1" -d postgres "${@:2}"; }
within 20 sql postgres -c 'select 1'
sql postgres -c 'create role owner login' -c 'grant create on schema public to owner'
sql owner -c 'create table rows (id int)' -c 'insert into rows select generate_series(1, 3)' \
  -c 'alter table rows enable row level security' -c 'alter table rows force row level security' \
  -c 'create policy everything on rows to owner using (true) with check (true)'
dump() { "$bin/pg_dump" -h "$work/db" -U owner -a -t rows "$@" postgres 2>&1; }
rows_of() { grep -cE '^[0-9]+$' || true; }
seen 'the owner sees: 3' "the owner sees: $(sql owner -c 'select count(*) from rows')"
refused=$(dump) || true
seen 'refused: yes' "refused: $(grep -q 'would be affected by row-level security' <<<"$refused" && echo yes)"
seen 'with --enable-row-security: 3 rows' "with --enable-row-security: $(dump --enable-row-security | rows_of) rows"
sql owner -c 'alter policy everything on rows using (id < 2)'
seen 'cut by its policy: 1 row' "cut by its policy: $(dump --enable-row-security | rows_of) row"
