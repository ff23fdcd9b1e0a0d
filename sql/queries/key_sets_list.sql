select key, body from api_key_sets where key > $1 order by key limit $2
