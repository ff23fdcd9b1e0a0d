-- Is what was sent what is registered under this key?
select r.spec = $2::jsonb->'spec' and r.template = $2::jsonb->>'template' from releases r where r.app || '/' || r.version = $1
