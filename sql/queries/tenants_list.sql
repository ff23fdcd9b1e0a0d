select key, body from api_tenants where key > $1 order by key limit $2
