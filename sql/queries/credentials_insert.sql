insert into credentials (tenant_id, instance_id, name, box, created_at)
select *, clock_timestamp() from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[]) on conflict do nothing
