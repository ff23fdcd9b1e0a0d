select key, body from api_sizes where key > $1 order by key limit $2
