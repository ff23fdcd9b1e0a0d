#include "coordinator/migrate.h"

#include "base/log.h"
#include "base/str.h"
#include "io/pg.h"
#include "model/tables.h"
#include "sql/queries.h"

#include <stdlib.h>

static const char make_journal[] = "create table if not exists migrations (name text primary key, "
                                   "applied_at timestamptz not null default clock_timestamp())";
static const char find_migration[] = "select 1 from migrations where name = $1";
static const char note_migration[] = "insert into migrations (name) values ($1)";

static int apply_one(struct pg *pg, const struct sql_script *script, struct arena *arena, struct err *err) {
    struct pg_params params = {.arena = arena};
    pg_params_text(&params, script->name);
    cleanup_result PGresult *known = pg_run(pg, find_migration, &params, err);
    if (!known)
        return -1;
    if (PQntuples(known))
        return 0;
    if (pg_script(pg, script->text, err) < 0)
        return err_wrap(err, "migration \"%s\"", script->name);
    cleanup_result PGresult *noted = pg_run(pg, note_migration, &params, err);
    if (noted)
        log_info("migration applied", LOG_S("name", script->name));
    return noted ? 0 : -1;
}

/* The tables of states, transitions and roles are the C tables, whatever they were before. */
static int write_tables(struct pg *pg, struct err *err) {
    cleanup_str struct str sql = STR_INIT(65536);
    str_adds(&sql, "delete from transitions; insert into states (name, begins) values ");
    for (int i = 0; i < STATE_COUNT; i++)
        str_addf(&sql, "%s('%s', %s)", i ? ", " : "", state_rows[i].name,
                 i == STATE_FIRST ? "true" : "false");
    str_adds(&sql, " on conflict (name) do update set begins = excluded.begins; insert into transitions "
                   "(from_state, to_state) values ");
    for (int i = 0; i < transition_rows_n; i++)
        str_addf(&sql, "%s('%s', '%s')", i ? ", " : "", state_rows[transition_rows[i].from].name,
                 state_rows[transition_rows[i].to].name);
    str_adds(&sql, "; delete from roles; insert into roles (name, bit) values ");
    for (int i = 0; i < ROLE_COUNT; i++)
        str_addf(&sql, "%s('%s', %u)", i ? ", " : "", role_rows[i].name, 1u << i);
    return pg_script(pg, str_text(&sql), err);
}

/* The built-in release: no name, image or stack; one step. Its identity is fixed. */
static const char built_in[] =
    "insert into apps (name, title, summary, created_at) values "
    "('noop', 'Nothing', 'One step that does nothing, by a real worker.', clock_timestamp()) on conflict do "
    "nothing; "
    "insert into releases (id, app, version, spec, template, created_at) values "
    "('00000000-0000-7000-8000-000000000001', 'noop', '1', '{\"title\": \"Nothing\", \"summary\": \"One step "
    "that "
    "does nothing, by a real worker.\", \"version\": \"1\", \"noop\": true}', '', clock_timestamp()) "
    "on conflict do nothing";

/* What a version that knew no sets has done meanwhile: the one that an instance has is "a". */
static const char adopt_sets[] =
    "update sets s set state = 'gone' from instances i where i.tenant_id = s.tenant_id and i.id = "
    "s.instance_id "
    "and i.gone and s.state <> 'gone'; "
    "insert into sets (tenant_id, instance_id, letter, release_id, node_id, port, images, commits, state) "
    "select i.tenant_id, i.id, i.serving, i.release_id, i.node_id, i.port, i.images, i.commits, "
    "case when i.node_id is null then 'planned' else 'placed' end from instances i "
    "where not i.gone and i.size_id is not null and not exists (select from sets s "
    "where s.tenant_id = i.tenant_id and s.instance_id = i.id)";

static int apply_all(struct pg *pg, struct arena *arena, struct err *err) {
    if (pg_script(pg, "begin", err) < 0)
        return -1;
    cleanup_result PGresult *locked = pg_run(pg, query_migrations_lock, NULL, err);
    if (!locked || pg_script(pg, make_journal, err) < 0)
        return -1;
    for (const struct sql_script *s = sql_migrations; s->name; s++)
        if (apply_one(pg, s, arena, err) < 0)
            return -1;
    if (write_tables(pg, err) < 0 || pg_script(pg, built_in, err) < 0 || pg_script(pg, adopt_sets, err) < 0)
        return -1;
    for (const struct sql_script *s = sql_views; s->name; s++)
        if (pg_script(pg, s->text, err) < 0)
            return err_wrap(err, "views \"%s\"", s->name);
    return pg_script(pg, "commit", err);
}

int migrate_run(const char *owner_url, struct err *err) {
    struct arena arena = {0};
    struct pg *pg = pg_open(owner_url, NULL, err);
    if (!pg)
        return -1;
    int rc = apply_all(pg, &arena, err);
    pg_close(pg);
    arena_release(&arena);
    return rc;
}
