-- Who is known there by this subject; else, the first time, the person of that name ($3) whom nobody is known as yet, and who
-- has no other way in: a name that can be chosen there must not be one that is somebody's here already.
with known as (select i.member_id from identities i where i.provider_id = $1 and i.subject = $2),
named as (
    insert into identities (provider_id, subject, member_id)
    select p.id, $2, m.id from identity_providers p
        join members m on m.customer_id is not distinct from p.customer_id and m.name = $3 and m.kind = 'person'
    where p.id = $1 and not exists (select from known)
      and not exists (select from identities o where o.provider_id = p.id and o.member_id = m.id)
      and not exists (select from passwords w where w.member_id = m.id and w.hash is not null)
    on conflict do nothing returning member_id)
select m.id, m.customer_id, case when c.id is null then m.name else c.name || '/' || m.name end
from (select member_id from known union all select member_id from named) x
    join members m on m.id = x.member_id left join customers c on c.id = m.customer_id
