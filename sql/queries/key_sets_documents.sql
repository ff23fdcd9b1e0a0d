-- All documents behind a key, $5 at most, with what was signed; the last two: to be sent, and where to.
select d.node_id, d.instance_id, d.kind, d.letter, d.epoch, d.revision, d.envelope, not (d.absent and d.confirmed),
    case when p.mode = 'private' then d.tenant_id end
from documents d join nodes n on n.id = d.node_id join planes p on p.id = n.plane_id
where (d.node_id, d.instance_id, d.kind, d.letter) > ($1, $2, $3, $4)
order by d.node_id, d.instance_id, d.kind, d.letter limit $5
