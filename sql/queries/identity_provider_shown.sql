select key, body from api_identity_providers where id = $1
