select key, body from api_identity_providers where key > $1 order by key limit $2
