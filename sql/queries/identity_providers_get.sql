select id, body from api_identity_providers where key = $1
