insert into steps (
    tenant_id, instance_id, generation, step, part, state, attempt, order_id, work_key, next_at,
    started_at, ended_at, class, problem, lines, facts)
select * from unnest(
    $1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::uuid[],
    $9::text[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::text[], $14::text[],
    $15::text[], $16::jsonb[])
