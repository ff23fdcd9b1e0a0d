-- Apps of that node's plane of which more will be told when what is done elsewhere is done.
select count(distinct i.id)
from nodes n join instances i on i.plane_id = n.plane_id and not i.gone
    join steps s on s.tenant_id = i.tenant_id and s.instance_id = i.id and s.generation = i.running
where n.id = $1 and s.state = 'open' and s.step in ('place', 'resolve', 'build', 'name', 'wait')
