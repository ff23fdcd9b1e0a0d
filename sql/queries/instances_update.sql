update instances t set
    node_id = n.node_id, edge_id = n.edge_id, prober_id = n.prober_id, images = n.images, health = n.health,
    problem = n.problem, state = n.state, accepted = n.accepted, running = n.running, port = n.port,
    event_seq = n.event_seq, expires_at = n.expires_at, updated_at = n.updated_at
from unnest(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::jsonb[], $6::text[], $7::text[], $8::text[],
    $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::timestamptz[], $14::timestamptz[])
    as n (
        id, node_id, edge_id, prober_id, images, health, problem, state, accepted, running, port, event_seq,
        expires_at, updated_at)
where t.id = n.id
