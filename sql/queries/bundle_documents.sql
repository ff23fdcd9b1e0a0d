-- All that a node should hold, also what is long absent: its disk may be an old one. With the images that it has not said to run yet.
select d.instance_id, d.kind, d.letter, case when p.mode = 'private' then d.tenant_id end, d.envelope,
    case when d.kind = 'stack' and not d.absent and ($2 or d.observed <> d.revision or d.condition <> 'healthy') then s.images end
from documents d join nodes n on n.id = d.node_id join planes p on p.id = n.plane_id
    left join sets s on s.tenant_id = d.tenant_id and s.instance_id = d.instance_id and s.letter = d.letter
where d.node_id = $1 order by d.instance_id, d.kind, d.letter
