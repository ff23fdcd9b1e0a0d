select id, name, mode, domain, scheme, public_port, recovery_key, link from planes
where id in (select plane_id from instances where id = any($1::uuid[]))
