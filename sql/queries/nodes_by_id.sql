select id, plane_id, name, address, arch, health, roles @> '{builder}', roles @> '{host}', roles @> '{edge}',
    roles @> '{dns}', roles @> '{prober}', state = 'ready', cpu_milli, memory_mb, disk_mb, port_low, port_high
from nodes where id in (
    select node_id from instances where id = any($1::uuid[]) union
    select edge_id from instances where id = any($1::uuid[]) union
    select prober_id from instances where id = any($1::uuid[]))
