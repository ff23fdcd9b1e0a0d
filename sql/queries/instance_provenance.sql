select i.key, i.value, s.provenance->>i.key
from instances n join sets s on s.tenant_id = n.tenant_id and s.instance_id = n.id and s.letter = n.serving,
    jsonb_each_text(s.images) i
where n.id = $1 order by i.key
