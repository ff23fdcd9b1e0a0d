select
    tenant_id, id, customer_id, plane_id, release_id, size_id, node_id, edge_id, prober_id, name, host,
    inputs, images, public_url, health, problem, state, accepted, running, port, memory_mb, cpu_milli,
    disk_mb, trial_days, event_seq, expires_at, created_at, updated_at
from instances where id = any($1::uuid[])
