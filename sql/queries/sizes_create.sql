insert into sizes (id, plane_id, name, cpu_milli, memory_mb, disk_mb, created_at)
select $1::uuid, p.id, $2::jsonb->>'name', ($2::jsonb->>'cpu_milli')::bigint, ($2::jsonb->>'memory_mb')::bigint,
    ($2::jsonb->>'disk_mb')::bigint, clock_timestamp()
from planes p where p.name = $2::jsonb->>'plane'
on conflict do nothing returning id
