-- Agents hold no role for orders: those are for the provider's own nodes. Then the plane of a private one, and how it is heard.
select n.id, n.sign_key, case when p.mode = 'private' then 0 else (select sum(r.bit) from roles r where r.name = any(n.roles)) end::bigint,
    case when p.mode = 'private' then p.id end, p.link
from nodes n join planes p on p.id = n.plane_id
where n.id = any($1::uuid[]) and n.state in ('enrolled', 'ready') and n.sign_key is not null
