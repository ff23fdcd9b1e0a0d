-- A node has these labels from now on; what waits for room on its plane gets another look. What runs there runs on.
with node as (
    update nodes set labels = $2 where name = $1 returning plane_id),
due as (
    insert into timers (kind, subject, due_at)
    select 'place', replace(plane_id::text, '-', ''), statement_timestamp() from node
    on conflict (kind, subject) do update set due_at = excluded.due_at returning 1)
select to_jsonb(string_to_array($2, ','))::text from node
