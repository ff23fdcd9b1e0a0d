select id, name, mode, domain, scheme, public_port, recovery_key, link from planes
where name = any($1::text[]) or id = any($2::uuid[])
