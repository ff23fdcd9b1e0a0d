select
    host, tenant_id, instance_id, serial, held, replaces, free_at
from names where instance_id = any($1::uuid[])
