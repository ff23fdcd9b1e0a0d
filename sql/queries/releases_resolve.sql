-- The sources of a new release are resolved at once: $1 the keys of the works, $2 their parameters.
with now as (select clock_timestamp() + clock_offset_us * interval '1 microsecond' as at from installation),
w as (
    insert into works (key, kind, state, attempt, opened_at, params)
    select s.key, 'resolve', 'open', 0, now.at, s.params::jsonb from unnest($1::text[], $2::text[]) as s (key, params), now
    on conflict do nothing)
insert into timers (kind, subject, due_at) select 'work', s.key, now.at from unnest($1::text[]) as s (key), now
on conflict (kind, subject) do update set due_at = excluded.due_at
