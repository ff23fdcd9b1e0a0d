-- These were heard of. One that was silent is back: each instance that it concerns gets a due row, an input of its own,
-- and what waits for room on its plane gets another look.
-- What they were is read, and locked, before they are changed.
with was as materialized (
    select id, health from nodes where id = any($1::uuid[]) order by id for no key update),
seen as (
    update nodes n set seen_at = case when p.link = 'file' then least(to_timestamp(a.said_us / 1000000.0), clock_timestamp()) else clock_timestamp() end, said_stream = a.stream, health = 'ok', version = a.version, doubt = nullif(a.doubt, ''), lacks = nullif(a.lacks, ''),
        key_set = a.key_set
    from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::uuid[], $7::bigint[]) as a (id, version, doubt, lacks, key_set, stream, said_us)
        join was on was.id = a.id, planes p
    where n.id = a.id and p.id = n.plane_id and (p.link = 'online' or n.said_stream is null or n.said_stream < a.stream) returning n.id, n.plane_id, was.health <> 'ok' as back),
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
