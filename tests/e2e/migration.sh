#!/usr/bin/env bash
# Migration from the first version, with a row in every table: none is lost, and what the rows mean is the same afterwards.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
socket=$(sed -E 's/.*host=([^&]*).*/\1/' <<<"$FAIRLEAD_DATABASE_URL") port=$(sed -E 's/.*port=([0-9]*).*/\1/' <<<"$FAIRLEAD_DATABASE_URL")
admin() { psql -XAtq -v ON_ERROR_STOP=1 -h "$socket" -p "$port" -U postgres -d postgres -c "$1"; }
url="postgresql://fairlead_owner@/migrated?host=$socket&port=$port"
old() { psql -XAtq -v ON_ERROR_STOP=1 "$url" "$@"; }
count() { # of each table that the first version had
  local table
  for table in $tables; do echo "$table $(old -c "select count(*) from $table")"; done
}
admin 'drop database if exists migrated' && admin 'create database migrated owner fairlead_owner'
old -f "$root/sql/migrations/0001_base.sql" >/dev/null
old -f "$root/tests/upgrade/rows.sql"
# What PostgreSQL's own trigger makes of rows is the program's; the tables of states are written by it.
tables=$(old -c "select tablename from pg_tables where schemaname = 'public' and tablename not in ('states', 'transitions') order by 1")
empty=$(count | awk '$2 == 0 { print $1 }')
ok "every table of the first version holds a row" test "$empty" = clock_marks -o -z "$empty"
old -c "create table migrations (name text primary key, applied_at timestamptz not null default clock_timestamp()); insert into migrations (name) values ('0001_base')"
before=$(count)
migrate() { FAIRLEAD_DATABASE_OWNER=$url "$BUILD/fairlead-coordinator" migrate; }
ok "it is brought to this version" migrate
# What was sealed for an instance that is gone goes with it (0008); the built-in release comes.
ok "no row is lost" diff <(sed -E 's/^(credentials|recovery_boxes) 3$/\1 2/; s/^(apps|releases) 1$/\1 2/' <<<"$before") <(count)
ok "what runs has its set, with what it runs" test "$(old -c "select s.letter, s.state, n.name, s.port, s.images->>'web' from sets s join nodes n on n.id = s.node_id join instances i on i.id = s.instance_id where i.name = 'runs'")" = "a|placed|one|20000|wiki@sha256:11"
ok "... what waits for room has one without" test "$(old -c "select s.state, s.node_id is null from sets s join instances i on i.id = s.instance_id where i.name = 'waits'")" = "planned|t"
ok "... what is gone has none, and its room is free" test "$(old -c "select count(*) from sets s join instances i on i.id = s.instance_id where i.name = 'gone'")" = 0
ok "steps are the acts that they were" test "$(old -c "select count(*), count(*) filter (where act = step and letter = 'a') from steps")" = "9|9"
ok "a document is the first set's" test "$(old -c "select string_agg(distinct letter || want, ',') from documents")" = a
ok "history is as it was" test "$(old -c "select string_agg(type, ',' order by type) from events")" = created,created,deleted
ok "the views answer" old -c "select * from fleet_now_v1; select * from stuck_v1; select * from ports; select * from api_instances"
ok "who knows no acts may still write a step" old -c "insert into steps (tenant_id, instance_id, generation, step, part, state, attempt) select tenant_id, id, 1, 'verify', '', 'open', 1 from instances where name = 'runs'"
ok "... whose name is the step's" test "$(old -c "select act from steps where step = 'verify'")" = verify
ok "the same once more changes nothing" migrate
ok "... no row" test "$(old -c 'select count(*) from sets')" = 2
# The version before has let one go meanwhile, and made one.
old -c "update instances set state = 'deleting' where name = 'runs'; update instances set state = 'deleted' where name = 'runs'; update instances set node_id = (select id from nodes), edge_id = (select id from nodes), port = 20000 where name = 'waits'; delete from sets where state = 'planned'"
ok "after the version before, sets are what instances say" migrate
ok "... one is gone" test "$(old -c "select s.state from sets s join instances i on i.id = s.instance_id where i.name = 'runs'")" = gone
ok "... and its port is the other's" test "$(old -c "select s.state, s.port from sets s join instances i on i.id = s.instance_id where i.name = 'waits'")" = "placed|20000"
admin 'drop database migrated'
finish
