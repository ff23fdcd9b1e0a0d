-- Not one that is withdrawn: no row.
update apps a set default_version = r.version from releases r
where r.app || '/' || r.version = $1 and a.name = r.app and r.withdrawn_at is null returning r.id
