select 'instance ' || name from instances where $1 in (node_id, edge_id, prober_id) and not gone
union select 'instance ' || i.name from sets s join instances i on i.tenant_id = s.tenant_id and i.id = s.instance_id
    where s.node_id = $1 and s.state = 'placed'
union all select 'documents of instances that are gone' where exists (select from documents where node_id = $1)
union all select 'its rights: it has enrolled' where exists (select from topics where node_id = $1)
    or exists (select from nodes where id = $1 and enrolment > 0) order by 1 limit 10
