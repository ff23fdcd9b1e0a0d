-- These were heard of. One that was silent is back: each instance that it concerns gets a due row, an input of its own,
-- and what waits for room on its plane gets another look.
-- What they were is read, and locked, before they are changed.
with was as materialized (
    select id, health from nodes where id = any($1::uuid[]) order by id for no key update),
seen as (
    update nodes n set seen_at = clock_timestamp(), health = 'ok', version = a.version, doubt = nullif(a.doubt, ''), lacks = nullif(a.lacks, ''),
        key_set = a.key_set
    from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[]) as a (id, version, doubt, lacks, key_set) join was on was.id = a.id
    where n.id = a.id returning n.id, n.plane_id, was.health <> 'ok' as back),
back as (select id, plane_id from seen where back),
concerned as (
    select i.id from back n join instances i on i.node_id = n.id and not i.gone where i.state = 'running'
    union select i.id from back n join instances i on i.edge_id = n.id and not i.gone where i.state = 'running'
    union select i.id from back n join instances i on i.prober_id = n.id and not i.gone where i.state = 'running')
insert into timers (kind, subject, due_at)
select 'instance', replace(id::text, '-', ''), statement_timestamp() from concerned
union select 'place', replace(plane_id::text, '-', ''), statement_timestamp() from back order by 1, 2
on conflict (kind, subject) do update set due_at = excluded.due_at
returning 1
