select body from api_tokens where id = $1
