insert into timers ({timers}) select * from unnest({timers arrays}) order by 1, 2
on conflict (kind, subject) do update set due_at = excluded.due_at
