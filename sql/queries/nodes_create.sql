insert into nodes (id, plane_id, name, roles, state, address, arch, cpu_milli, memory_mb, disk_mb, port_low, port_high,
    labels, created_at)
select $1::uuid, p.id, $2::jsonb->>'name', array(select jsonb_array_elements_text($2::jsonb->'roles')), 'invited',
    $2::jsonb->>'address', $2::jsonb->>'arch', ($2::jsonb->>'cpu_milli')::bigint, ($2::jsonb->>'memory_mb')::bigint,
    ($2::jsonb->>'disk_mb')::bigint, ($2::jsonb->>'port_low')::bigint, ($2::jsonb->>'port_high')::bigint,
    coalesce((select string_agg(distinct l, ',') from jsonb_array_elements_text($2::jsonb->'labels') l), ''), clock_timestamp()
from planes p where p.name = $2::jsonb->>'plane' and (p.mode <> 'private' or not $2::jsonb->'roles' ?| array['builder', 'dns'])
on conflict do nothing returning id
