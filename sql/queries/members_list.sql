select key, body from api_members where key > $1 order by key limit $2
