-- The newest of each app, or the version that was asked for.
select distinct on (a.app, a.version) a.app, a.version, r.id, r.version, r.spec, r.template
from unnest($1::text[], $2::text[]) as a (app, version)
    join releases r on r.app = a.app and (a.version is null or r.version = a.version)
order by a.app, a.version, r.created_at desc
