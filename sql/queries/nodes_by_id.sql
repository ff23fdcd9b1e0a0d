select id, plane_id, name, address, arch, health, (select sum(r.bit) from roles r where r.name = any(roles))::bigint, state = 'ready', cpu_milli, memory_mb, disk_mb, port_low, port_high, labels
from nodes where id = any($1::uuid[])
