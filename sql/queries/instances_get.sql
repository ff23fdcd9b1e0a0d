select id, body, etag from api_instances where key = $1
