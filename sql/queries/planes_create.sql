insert into planes (id, name, mode, customer_id, domain, scheme, public_port, recovery_key, link, created_at)
select $1::uuid, $2::jsonb->>'name', $2::jsonb->>'mode', c.id, $2::jsonb->>'domain', $2::jsonb->>'scheme',
    ($2::jsonb->>'public_port')::bigint, decode($2::jsonb->>'recovery_key', 'hex'), $2::jsonb->>'link', clock_timestamp()
from (select 1) one left join customers c on c.name = $2::jsonb->>'customer'
where ($2::jsonb->>'mode' = 'shared') = (c.id is null)
    and ($2::jsonb->>'mode' = 'private') = ($2::jsonb->>'recovery_key' is null)
    and ($2::jsonb->>'link' = 'online' or $2::jsonb->>'mode' = 'private')
on conflict do nothing returning id
