select node_id, instance_id, kind from documents
where not (absent and confirmed) and (node_id, instance_id, kind) > ($1, $2, $3)
order by node_id, instance_id, kind limit $4
