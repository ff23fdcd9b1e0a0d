update steps t set
    state = n.state, attempt = n.attempt, order_id = n.order_id, work_key = n.work_key,
    next_at = n.next_at, started_at = n.started_at, ended_at = n.ended_at, class = n.class,
    problem = n.problem, lines = n.lines, facts = n.facts
from unnest(
    $1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::uuid[],
    $9::text[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::text[], $14::text[],
    $15::text[], $16::jsonb[])
    as n (
        tenant_id, instance_id, generation, step, part, state, attempt, order_id, work_key, next_at,
        started_at, ended_at, class, problem, lines, facts)
where t.tenant_id = n.tenant_id and t.instance_id = n.instance_id and t.generation = n.generation and t.step = n.step and t.part = n.part
