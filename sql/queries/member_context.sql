-- What the body of a new member names ($1), where it says nothing the limits of who makes it ($2 to $4).
select c.id, t.id, p.id, r.side, array_to_string(r.scopes, ',')
from (select $1::jsonb as b) x
    left join customers c on c.retired_at is null and case when x.b ? 'customer' then c.name = x.b->>'customer' else c.id = $2::uuid end
    left join tenants t on t.customer_id = c.id and t.retired_at is null
        and case when x.b ? 'tenant' then t.name = x.b->>'tenant' else t.id = $3::uuid end
    left join planes p on case when x.b ? 'plane' then p.name = x.b->>'plane' else p.id = $4::uuid end
    left join access_roles r on r.name = x.b->>'role'
