select distinct {works w}, s.instance_id
from instances i
    join steps s on s.tenant_id = i.tenant_id and s.instance_id = i.id and s.generation = i.running and s.state = 'open'
    join works w on w.key = s.work_key
where i.id = any($1::uuid[])
