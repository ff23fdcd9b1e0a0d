select id, body from api_releases where key = $1
