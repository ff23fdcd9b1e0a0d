-- Not one condition with "or": that would read the whole table.
select id, owner, key, fingerprint, status, answer, etag, location
from requests where id = any($1::uuid[])
union all
select r.id, r.owner, r.key, r.fingerprint, r.status, r.answer, r.etag, r.location
from unnest($2::text[], $3::text[]) as a (owner, key) join requests r on r.owner = a.owner and r.key = a.key
where r.id <> all ($1::uuid[])
