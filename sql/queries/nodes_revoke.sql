-- A node may nothing any more, and its invitation is void; its topic's step runs again, which says so to the broker.
-- One that is revoked already: nothing but its name.
with node as (update nodes set state = 'retired' where name = $1 and state <> 'retired' returning id),
    invitation as (delete from tokens using node where node_id = node.id and used_at is null),
    step as (update topics t set ready = false, wanted = t.wanted + 1 from node where t.node_id = node.id)
select id from nodes where name = $1
