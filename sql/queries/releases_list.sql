select key, body from api_releases where key > $1 order by key limit $2
