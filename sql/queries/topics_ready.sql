-- Not where it was wanted once more since ($2): what was done was of rows as they were before, and the step runs again.
with t as (
    update topics set ready = (wanted = $2), told = told or wanted = $2 where name = $1 returning node_id, plane_id, tenant_id, ready),
    n as (
    update nodes n set state = 'ready' from t
    where t.ready and (n.id = t.node_id or n.plane_id = t.plane_id) and n.state = 'enrolled' returning n.plane_id),
-- Agents are told by their next heartbeat that there is a topic to read.
    readers as (
    update nodes n set heartbeat_at = null from t join tenants c on c.id = t.tenant_id join planes p on p.customer_id = c.customer_id
    where t.ready and n.plane_id = p.id and p.mode = 'private' and n.state = 'ready')
insert into timers (kind, subject, due_at)
select distinct 'place', replace(plane_id::text, '-', ''), clock_timestamp() from n
on conflict (kind, subject) do update set due_at = excluded.due_at
