select node_id, instance_id, kind, letter from documents
where not (absent and confirmed) and (node_id, instance_id, kind, letter) > ($1, $2, $3, $4)
order by node_id, instance_id, kind, letter limit $5
