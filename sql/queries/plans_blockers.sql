select 'customer ' || case when retired_at is null then name else '(retired)' end from customers where plan_id = $1 order by 1 limit 10
