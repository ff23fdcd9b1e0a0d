update members m set role = r.name from access_roles r
where m.id = $1 and r.name = $2 and (r.side = 'customer') = (m.customer_id is not null)
returning m.id
