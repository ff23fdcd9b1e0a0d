select name, array_to_string(scopes, ',') from access_roles order by side desc, cardinality(scopes), name
