select 'customer ' || name from customers where plan_id = $1 order by 1 limit 10
