update names t set
    tenant_id = n.tenant_id, instance_id = n.instance_id, serial = n.serial, held = n.held,
    replaces = n.replaces, free_at = n.free_at
from unnest(
    $1::text[], $2::uuid[], $3::uuid[], $4::bigint[], $5::boolean[], $6::text[], $7::timestamptz[])
    as n (
        host, tenant_id, instance_id, serial, held, replaces, free_at)
where t.host = n.host
