select p.id, p.issuer, p.client_id, p.secret_box, p.claim, p.customer_id, coalesce(c.name, '-') || '/' || p.name
from identity_providers p left join customers c on c.id = p.customer_id
where ($1::text is not null and coalesce(c.name, '-') || '/' || p.name = $1) or p.id = $2
