select key, body from api_nodes where key > $1 order by key limit $2
