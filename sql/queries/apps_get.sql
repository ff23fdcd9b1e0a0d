select id, body from api_apps where key = $1
