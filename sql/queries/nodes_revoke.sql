-- A node may nothing any more, and its invitation is void, also one of a node that was revoked before; the step of its topics runs
-- again, which says so to the broker.
with node as (update nodes set state = 'retired' where name = $1 and state <> 'retired' returning id, plane_id),
    invitation as (delete from tokens t using nodes n where n.name = $1 and t.node_id = n.id and t.used_at is null),
    step as (
    update topics t set ready = false, wanted = t.wanted + 1 from node join planes p on p.id = node.plane_id
    where t.node_id = node.id or t.plane_id = p.id
        or (p.mode = 'private' and t.tenant_id in (select id from tenants where customer_id = p.customer_id)))
select id from nodes where name = $1
