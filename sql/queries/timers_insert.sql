insert into timers (
    kind, subject, due_at)
select * from unnest(
    $1::text[], $2::text[], $3::timestamptz[]) order by 1, 2
on conflict (kind, subject) do update set due_at = excluded.due_at
