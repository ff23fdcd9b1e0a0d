-- One member, locked with all others of its customer who may say who may: so that the last of them is seen. On the provider's
-- side it must be one who can come in: nobody else could let them in.
with key as (
    select m.id, m.customer_id from members m left join customers c on c.id = m.customer_id
    where coalesce(c.name, '-') || '/' || m.name = $1),
locked as materialized (
    select m.id from members m, key k, access_roles r
    where m.customer_id is not distinct from k.customer_id and r.name = m.role
      and (m.id = k.id or (m.tenant_id is null and m.plane_id is null and r.scopes && '{*,access.write}'))
    order by m.id for update of m)
select m.id, m.customer_id, m.tenant_id, m.plane_id, array_to_string(r.scopes, ','), v.body::text,
    r.scopes && '{*,access.write}' and m.tenant_id is null and m.plane_id is null
        and not exists (select from locked l where l.id <> m.id and (m.customer_id is not null or comes_in(l.id)))
from key k join members m on m.id = k.id join access_roles r on r.name = m.role join api_members v on v.id = m.id
where exists (select from locked)
