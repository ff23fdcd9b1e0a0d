delete from names where host = any($1::text[]) and instance_id = any($2::uuid[])
