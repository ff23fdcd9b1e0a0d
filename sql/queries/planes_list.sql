select key, body from api_planes where key > $1 order by key limit $2
