select n.id, n.plane_id, n.name, n.address, n.arch, n.health, (select sum(r.bit) from roles r where r.name = any(n.roles))::bigint, n.state = 'ready', n.cpu_milli, n.memory_mb,
    n.disk_mb, n.port_low, n.port_high, n.labels, coalesce(u.cpu_milli, 0), coalesce(u.memory_mb, 0), coalesce(u.disk_mb, 0), u.ports::text
from nodes n left join reservations u on u.node_id = n.id
where n.plane_id = $1 order by n.name
