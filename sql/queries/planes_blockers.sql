select 'node ' || name from nodes where plane_id = $1
union all select 'size ' || name from sizes where plane_id = $1
union all select 'instance ' || name from instances where plane_id = $1 union all select 'member ' || name from members where plane_id = $1 order by 1 limit 10
