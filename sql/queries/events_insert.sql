insert into events (
    id, tenant_id, instance_id, sequence, generation, at, type, data, trace)
select * from unnest(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::text[],
    $8::jsonb[], $9::text[])
