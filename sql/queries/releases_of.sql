select id, app, version, spec, template from releases
where id in (select release_id from instances where id = any($1::uuid[]))
