-- These were heard of. One that was silent is back: each instance that it concerns gets a due row, an input of its own,
-- and what waits for room on its plane gets another look.
-- What they were is read, and locked, before they are changed.
with was as materialized (
    select id, health from nodes where id = any($1::uuid[]) order by id for no key update),
seen as (
    update nodes n set seen_at = clock_timestamp(), health = 'ok', version = a.version
    from unnest($1::uuid[], $2::text[]) as a (id, version) join was on was.id = a.id
    where n.id = a.id returning n.id, n.plane_id, was.health <> 'ok' as back)
insert into timers (kind, subject, due_at)
select distinct 'instance', replace(i.id::text, '-', ''), statement_timestamp() from instances i, seen n
where n.back and not i.gone and i.state = 'running'
  and (i.node_id = n.id or i.edge_id = n.id or i.prober_id = n.id)
union select 'place', replace(n.plane_id::text, '-', ''), statement_timestamp() from seen n where n.back order by 1, 2
on conflict (kind, subject) do update set due_at = excluded.due_at
returning 1
