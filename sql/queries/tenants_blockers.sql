select 'instance ' || name from instances where tenant_id = $1 and not gone order by 1 limit 10
