select id, body from api_plans where key = $1
