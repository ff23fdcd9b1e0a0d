-- The sources of a release are resolved: $1 the keys of the works, $2 their parameters. What is resolved stays so; what
-- failed is asked again.
with now as (select clock_timestamp() + clock_offset_us * interval '1 microsecond' as at from installation),
w as (
    insert into works (key, kind, state, attempt, opened_at, params)
    select s.key, 'resolve', 'open', 0, now.at, s.params::jsonb from unnest($1::text[], $2::text[]) as s (key, params), now
    order by 1
    on conflict (key) do update set state = 'open', attempt = 0, opened_at = excluded.opened_at, class = null, problem = null,
        lines = null where works.state = 'failed'
    returning key)
insert into timers (kind, subject, due_at) select 'work', w.key, now.at from w, now order by 2
on conflict (kind, subject) do update set due_at = excluded.due_at
