select 'instance ' || name from instances where (node_id = $1 or edge_id = $1) and state <> 'deleted'
union all select 'document of an instance that is gone' from documents where node_id = $1 order by 1 limit 10
