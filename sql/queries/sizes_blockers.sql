select 'instance ' || name from instances where size_id = $1 order by 1 limit 10
