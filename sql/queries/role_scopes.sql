select side, array_to_string(scopes, ',') from access_roles where name = $1
