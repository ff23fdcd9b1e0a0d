-- Who has ever had a certificate, and what it may: of those that topic $1 concerns, or with null of all. The topics of a private
-- plane and of its tenants are read by its agents.
select n.id, n.enrolment, (select sum(r.bit) from roles r where r.name = any(n.roles))::bigint, n.state = 'retired',
    case when p.mode = 'private' then p.id end,
    (select string_agg(o.name, ',' order by o.name) from tenants t join topics o on o.tenant_id = t.id
        where p.mode = 'private' and t.customer_id = p.customer_id and t.retired_at is null)
from nodes n join planes p on p.id = n.plane_id
where n.enrolment > 0 and ($1::text is null or exists (
    select from topics o left join tenants t on t.id = o.tenant_id
    where o.name = $1 and (o.node_id = n.id or o.plane_id = n.plane_id or (p.mode = 'private' and t.customer_id = p.customer_id))))
