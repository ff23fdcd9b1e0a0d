select key, body from api_roles where key > $1 order by key limit $2
