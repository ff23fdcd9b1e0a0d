insert into timers (kind, subject, due_at) values ('place', replace($1::uuid::text, '-', ''), clock_timestamp())
on conflict (kind, subject) do update set due_at = excluded.due_at
