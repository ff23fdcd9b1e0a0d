select id, owner, key, fingerprint, status, answer, etag, location
from requests where id = any($1::uuid[])
union all
-- Not one condition with "or": that would read the whole table.
select r.id, r.owner, r.key, r.fingerprint, r.status, r.answer, r.etag, r.location
from unnest($2::text[], $3::text[]) as a (owner, key) join requests r on r.owner = a.owner and r.key = a.key
where r.id <> all ($1::uuid[])
union all
-- What was accepted without a key has no row of its own.
select n.request_id, null, null, ''::bytea, 202, json_build_object('id', i.id, 'name', i.name, 'state', i.state,
    'generation', n.generation, 'url', i.public_url)::text, n.generation, '/v1/instances/' || i.id
from unnest($4::uuid[], $5::uuid[]) as b (request_id, instance_id)
    join instances i on i.id = b.instance_id
    join intents n on n.tenant_id = i.tenant_id and n.instance_id = i.id and n.request_id = b.request_id
