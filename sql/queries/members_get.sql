select id, body from api_members where key = $1
