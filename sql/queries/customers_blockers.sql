select 'tenant ' || name from tenants where customer_id = $1
union all select 'plane ' || name from planes where customer_id = $1 order by 1 limit 10
