select key, body from api_apps where key > $1 order by key limit $2
