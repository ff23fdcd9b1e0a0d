select id, app, version, spec, template from releases where id = any($1::uuid[])
