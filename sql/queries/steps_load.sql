select {steps s}
from instances i
    join steps s on s.tenant_id = i.tenant_id and s.instance_id = i.id and s.generation = i.running
where i.id = any($1::uuid[])
