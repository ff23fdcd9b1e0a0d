-- A page of those that wait, behind the last of the page before.
select i.id from steps s
    join instances i on i.tenant_id = s.tenant_id and i.id = s.instance_id and i.running = s.generation
where s.step = 'place' and s.state = 'open' and s.instance_id > $2 and i.plane_id = $1
order by s.instance_id limit 64
