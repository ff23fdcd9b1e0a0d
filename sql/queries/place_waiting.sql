-- A page of those that wait, behind the last of the page before.
select i.id from instances i join steps s on s.instance_id = i.id and s.generation = i.running
where i.plane_id = $1 and s.step = 'place' and s.state = 'open' and i.id > $2 order by i.id limit 64
