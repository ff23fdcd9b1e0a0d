insert into tenants (id, customer_id, name, title, created_at)
select $1::uuid, c.id, $2::jsonb->>'name', $2::jsonb->>'title', clock_timestamp()
from customers c where c.name = $2::jsonb->>'customer'
on conflict do nothing returning id
