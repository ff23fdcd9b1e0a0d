insert into documents (
    tenant_id, node_id, instance_id, kind, epoch, revision, generation, absent, purge, confirmed,
    content, envelope, condition, observed, stream, report_n, trace)
select * from unnest(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
    $8::boolean[], $9::boolean[], $10::boolean[], $11::bytea[], $12::bytea[], $13::text[],
    $14::bigint[], $15::uuid[], $16::bigint[], $17::text[])
