-- These are silent: a due row for each instance that it concerns, found by an index of its own for each part that a node
-- can have in it.
with silent as (
    update nodes set health = 'unknown' where id = any($1::uuid[]) and health = 'ok'
        and seen_at < clock_timestamp() - interval '25 seconds' returning id),
concerned as (
    select i.id from silent n join instances i on i.node_id = n.id and not i.gone where i.state = 'running'
    union select i.id from silent n join instances i on i.edge_id = n.id and not i.gone where i.state = 'running'
    union select i.id from silent n join instances i on i.prober_id = n.id and not i.gone where i.state = 'running')
insert into timers (kind, subject, due_at)
select 'instance', replace(id::text, '-', ''), statement_timestamp() from concerned order by 2
on conflict (kind, subject) do update set due_at = excluded.due_at
returning 1
