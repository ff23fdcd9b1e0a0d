update works t set
    state = n.state, order_id = n.order_id, attempt = n.attempt, next_at = n.next_at,
    opened_at = n.opened_at, settled_at = n.settled_at, facts = n.facts, class = n.class,
    problem = n.problem, lines = n.lines
from unnest(
    $1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::timestamptz[], $6::timestamptz[],
    $7::timestamptz[], $8::jsonb[], $9::text[], $10::text[], $11::text[])
    as n (
        key, state, order_id, attempt, next_at, opened_at, settled_at, facts, class, problem, lines)
where t.key = n.key
