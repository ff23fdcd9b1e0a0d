select key, body from api_members where id = $1
