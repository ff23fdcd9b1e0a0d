select id, body from api_planes where key = $1
