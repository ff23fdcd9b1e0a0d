-- One that was silent is back: each instance that it concerns gets a due row, an input of its own.
with was as (
    select n.id from nodes n where n.id = any($1::uuid[]) and n.health <> 'ok' for no key update),
seen as (
    update nodes n set seen_at = clock_timestamp(), health = 'ok', version = a.version
    from unnest($1::uuid[], $2::text[]) as a (id, version) where n.id = a.id returning n.id)
insert into timers (kind, subject, due_at)
select distinct 'instance', replace(i.id::text, '-', ''), statement_timestamp() from instances i, was
where i.state = 'running' and (i.node_id = was.id or i.edge_id = was.id or i.prober_id = was.id)
    and exists (select from seen) order by 2
on conflict (kind, subject) do update set due_at = excluded.due_at
returning 1
