-- Of those that a node has confirmed once, and must hear again: few, so their envelopes are read apart.
select d.instance_id, d.kind, d.envelope, d.letter, case when p.mode = 'private' then d.tenant_id end
from unnest($2::uuid[], $3::text[], $4::text[]) with ordinality as a (instance_id, kind, letter, n)
    join documents d on d.node_id = $1 and d.instance_id = a.instance_id and d.kind = a.kind and d.letter = a.letter
    join nodes o on o.id = d.node_id join planes p on p.id = o.plane_id
where d.absent and d.confirmed order by a.n
