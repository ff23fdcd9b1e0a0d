-- These are silent: a due row for each instance that it concerns.
with silent as (
    update nodes set health = 'unknown' where id = any($1::uuid[]) and health = 'ok'
        and seen_at < clock_timestamp() - interval '25 seconds' returning id)
insert into timers (kind, subject, due_at)
select distinct 'instance', replace(i.id::text, '-', ''), statement_timestamp() from instances i, silent n
where not i.gone and i.state = 'running' and (i.node_id = n.id or i.edge_id = n.id or i.prober_id = n.id) order by 2
on conflict (kind, subject) do update set due_at = excluded.due_at
returning 1
