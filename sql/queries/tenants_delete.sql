delete from tenants where id = $1 returning id
