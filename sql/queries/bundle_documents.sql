-- All that a node should hold. With the images of what it has never said to have as wanted, or ($2: its disk is a new one) of all, and then also what it
-- has said to have taken away: the disk may be an old one.
select d.instance_id, d.kind, d.letter, case when p.mode = 'private' then d.tenant_id end, d.envelope,
    case when d.kind = 'stack' and not d.absent and ($2 or d.condition is null or d.condition not in ('healthy', 'stopped')) then s.images end
from documents d join nodes n on n.id = d.node_id join planes p on p.id = n.plane_id
    left join sets s on s.tenant_id = d.tenant_id and s.instance_id = d.instance_id and s.letter = d.letter
where d.node_id = $1 and ($2 or not (d.absent and d.confirmed)) order by d.instance_id, d.kind, d.letter
