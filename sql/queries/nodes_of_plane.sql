select n.id, n.plane_id, n.name, n.address, n.arch, n.health, (select sum(r.bit) from roles r where r.name = any(n.roles))::bigint, n.state = 'ready', n.cpu_milli, n.memory_mb,
    n.disk_mb, n.port_low, n.port_high, coalesce(u.cpu, 0), coalesce(u.memory, 0), coalesce(u.disk, 0), u.ports
from nodes n left join lateral (
    select sum(i.cpu_milli)::bigint as cpu, sum(i.memory_mb)::bigint as memory, sum(i.disk_mb)::bigint as disk,
        array_agg(s.port order by s.port)::text as ports
    from sets s join instances i on i.tenant_id = s.tenant_id and i.id = s.instance_id
    where s.node_id = n.id and s.state = 'placed') u on true
where n.plane_id = $1 order by n.name
