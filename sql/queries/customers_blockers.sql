select 'tenant ' || name from tenants where customer_id = $1 and retired_at is null
union all select 'plane ' || name from planes where customer_id = $1 order by 1 limit 10
