select d.instance_id, d.kind, d.epoch, d.revision, d.absent, d.confirmed, d.observed, coalesce(d.condition, ''), d.letter,
    case when p.mode = 'private' then d.tenant_id end
from documents d join nodes n on n.id = d.node_id join planes p on p.id = n.plane_id
where d.node_id = $1 and d.instance_id > $2 and d.instance_id <= $3 order by d.instance_id, d.kind, d.letter
