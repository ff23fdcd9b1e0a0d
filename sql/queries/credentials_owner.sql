select customer_id, tenant_id, plane_id from instances where id = $1
