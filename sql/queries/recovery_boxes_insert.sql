insert into recovery_boxes (tenant_id, instance_id, name, box)
select distinct on (1, 2, 3) * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[])
on conflict (tenant_id, instance_id, name) do update set box = excluded.box
