select id, plane_id, name, address, arch, health, (select sum(r.bit) from roles r where r.name = any(roles))::bigint, state = 'ready', cpu_milli, memory_mb, disk_mb, port_low, port_high
from nodes where id in (
    select s.node_id from sets s join instances i on i.tenant_id = s.tenant_id and i.id = s.instance_id where i.id = any($1::uuid[]) union
    select edge_id from instances where id = any($1::uuid[]) union
    select prober_id from instances where id = any($1::uuid[]))
