with t as (update topics set ready = true where name = $1 returning node_id)
update nodes n set state = 'ready' from t where n.id = t.node_id and n.state = 'enrolled' returning n.plane_id
