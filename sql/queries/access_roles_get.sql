select null::uuid, body from api_roles where key = $1
