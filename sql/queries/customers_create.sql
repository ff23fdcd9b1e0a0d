insert into customers (id, name, title, plan_id, created_at)
select $1::uuid, $2::jsonb->>'name', $2::jsonb->>'title', p.id, clock_timestamp()
from plans p where p.name = $2::jsonb->>'plan'
on conflict do nothing returning id
