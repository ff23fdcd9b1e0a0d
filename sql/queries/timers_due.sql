-- The time is read once, so that the index finds what is due without looking at the rest. $1 = 1: but for deadlines of
-- what builders were asked for.
select t.kind, t.subject from timers t
where t.due_at <= (select clock_timestamp() + clock_offset_us * interval '1 microsecond' from installation)
  and not (t.kind = 'expire' and (select clock_held from installation))
  and not ($1 = 1 and t.kind = 'work'
    and exists (select from works w where w.key = t.subject and w.state = 'open' and w.attempt > 0))
order by t.due_at limit 256
