-- What was accepted without a key has no row in requests: its intent says it. Columns as in requests_find.sql.
select n.request_id, null, null, ''::bytea, 202::bigint, json_build_object('id', i.id, 'name', i.name, 'state', i.state,
    'generation', n.generation, 'url', i.public_url)::text, n.generation, '/v1/instances/' || i.id
from unnest($1::uuid[], $2::uuid[]) as b (request_id, instance_id)
    join instances i on i.id = b.instance_id
    join intents n on n.tenant_id = i.tenant_id and n.instance_id = i.id and n.request_id = b.request_id
