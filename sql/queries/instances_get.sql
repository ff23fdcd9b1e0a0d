select id, body, etag from api_instances where id = $1
