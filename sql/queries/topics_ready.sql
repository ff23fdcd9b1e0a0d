-- Not where it was wanted once more since ($2): what was done was of rows as they were before, and the step runs again.
with t as (
    update topics set ready = (wanted = $2), told = told or wanted = $2 where name = $1 returning node_id, plane_id, ready),
    n as (
    update nodes n set state = 'ready' from t
    where t.ready and (n.id = t.node_id or n.plane_id = t.plane_id) and n.state = 'enrolled' returning n.plane_id)
insert into timers (kind, subject, due_at)
select distinct 'place', replace(plane_id::text, '-', ''), clock_timestamp() from n
on conflict (kind, subject) do update set due_at = excluded.due_at
