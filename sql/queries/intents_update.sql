update intents t set
    walk = n.walk, state = n.state, started_at = n.started_at, ended_at = n.ended_at
from unnest(
    $1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[])
    as n (
        tenant_id, instance_id, generation, walk, state, started_at, ended_at)
where t.tenant_id = n.tenant_id and t.instance_id = n.instance_id and t.generation = n.generation
