select id, body from api_dead_letters where key = $1
