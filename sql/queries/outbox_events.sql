select e.id, e.instance_id, e.sequence, e.generation, e.at, e.type, e.data, e.trace, e.tenant_id
from unnest($1::uuid[], $2::bigint[]) as k (instance_id, sequence)
    join events e on e.instance_id = k.instance_id and e.sequence = k.sequence
order by e.instance_id, e.sequence
