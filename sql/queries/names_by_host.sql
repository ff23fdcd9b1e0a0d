select {names n}, coalesce(i.state = 'deleted', true) as gone
from names n left join instances i on i.id = n.instance_id where n.host = any($1::text[])
order by n.host for update of n
