select id, body from api_tenants where key = $1
