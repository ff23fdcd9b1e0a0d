insert into instances (
    tenant_id, id, customer_id, plane_id, release_id, size_id, node_id, edge_id, prober_id, name, host,
    inputs, images, public_url, health, problem, state, accepted, running, port, memory_mb, cpu_milli,
    disk_mb, trial_days, event_seq, expires_at, created_at, updated_at)
select * from unnest(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[],
    $9::uuid[], $10::text[], $11::text[], $12::jsonb[], $13::jsonb[], $14::text[], $15::text[],
    $16::text[], $17::text[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[],
    $23::bigint[], $24::bigint[], $25::bigint[], $26::timestamptz[], $27::timestamptz[],
    $28::timestamptz[])
