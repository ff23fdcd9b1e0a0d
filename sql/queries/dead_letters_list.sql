select key, body from api_dead_letters where key > $1 order by key limit $2
