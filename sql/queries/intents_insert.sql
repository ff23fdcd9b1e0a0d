insert into intents (
    tenant_id, instance_id, generation, kind, walk, state, request_id, params, trace, accepted_at,
    started_at, ended_at)
select * from unnest(
    $1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::jsonb[],
    $9::text[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[])
