-- No row: there is no such customer. A name that is taken is told by the second column.
with c as (select id from customers where name = $2::jsonb->>'customer' and retired_at is null),
owner as (select id from c union all select null where not $2::jsonb ? 'customer'),
made as (
    insert into identity_providers (id, customer_id, name, title, issuer, client_id, secret_box, claim, created_at)
    select $1, owner.id, $2::jsonb->>'name', $2::jsonb->>'title', $2::jsonb->>'issuer', $2::jsonb->>'client_id', $3,
        $2::jsonb->>'claim', clock_timestamp() from owner
    on conflict do nothing returning id)
select owner.id, exists (select from made) from owner
