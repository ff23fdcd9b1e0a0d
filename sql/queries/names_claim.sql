insert into names (
    host, tenant_id, instance_id, serial, held, replaces, free_at)
select * from unnest(
    $1::text[], $2::uuid[], $3::uuid[], $4::bigint[], $5::boolean[], $6::text[], $7::timestamptz[]) order by 1
on conflict (host) do nothing
returning host
