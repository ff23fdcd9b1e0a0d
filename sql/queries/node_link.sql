select n.id, n.state, p.link from nodes n join planes p on p.id = n.plane_id where n.name = $1
