-- Of the node $1: what a bundle for it says besides its documents. The heartbeat is the next one, and nothing is written: only who reads bundles hears it. At the end:
-- apps of its plane of which more will be told when what is done elsewhere is done.
select n.id, greatest(n.heartbeat_n + 1, (extract(epoch from clock_timestamp()) * 1000000)::bigint), h.documents, h.hash, h.private_plane, h.tenants,
    n.state, p.link, (select envelope from key_sets where released_at is not null order by n desc limit 1), rfc3339(clock_timestamp()),
    (select count(distinct i.id) from instances i join steps s on s.tenant_id = i.tenant_id and s.instance_id = i.id and s.generation = i.running
        where i.plane_id = p.id and not i.gone and s.state = 'open' and s.step in ('place', 'resolve', 'build', 'name', 'wait'))
from nodes n join planes p on p.id = n.plane_id, heartbeat_of(n.id) h where n.name = $1
