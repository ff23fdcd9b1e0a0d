select key, body from api_plans where key > $1 order by key limit $2
