select id, body from api_sizes where key = $1
