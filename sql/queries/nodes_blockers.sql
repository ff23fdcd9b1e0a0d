select 'instance ' || name from instances where $1 in (node_id, edge_id, prober_id) and not gone
union all select 'documents of instances that are gone' where exists (select from documents where node_id = $1)
union all select 'its own topic: it has enrolled' where exists (select from topics where node_id = $1) order by 1 limit 10
