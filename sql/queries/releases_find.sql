-- The one that each app offers, or the version that was asked for; whether it is withdrawn.
select a.app, a.version, r.id, r.withdrawn_at is not null
from unnest($1::text[], $2::text[]) as a (app, version)
    join releases r on r.app = a.app and r.version = coalesce(a.version, (select o.version from app_offers o where o.app = a.app))
