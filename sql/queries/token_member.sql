select m.id, m.customer_id, m.tenant_id, m.plane_id, array_to_string(r.scopes, ',')
from members m join access_roles r on r.name = m.role left join customers c on c.id = m.customer_id
where coalesce(c.name, '-') || '/' || m.name = $1
