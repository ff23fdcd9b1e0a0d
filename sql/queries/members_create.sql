insert into members (id, customer_id, tenant_id, plane_id, kind, role, name, title, created_at)
select $1, $3, $4, $5, $2::jsonb->>'kind', $2::jsonb->>'role', $2::jsonb->>'name', $2::jsonb->>'title', clock_timestamp()
on conflict do nothing returning id
