insert into timers (kind, subject, due_at)
select distinct 'instance', replace(s.instance_id::text, '-', ''), $2::timestamptz
from steps s where s.state = 'open' and s.work_key = any($1::text[]) order by 2
on conflict (kind, subject) do update set due_at = excluded.due_at
