insert into works (
    key, kind, state, order_id, attempt, next_at, opened_at, settled_at, params, facts, class, problem,
    lines)
select * from unnest(
    $1::text[], $2::text[], $3::text[], $4::uuid[], $5::bigint[], $6::timestamptz[], $7::timestamptz[],
    $8::timestamptz[], $9::jsonb[], $10::jsonb[], $11::text[], $12::text[], $13::text[]) order by 1
on conflict (key) do nothing
