-- The time is read once, so that the index finds what is due without looking at the rest. $1 = 1: but for works.
select t.kind, t.subject from timers t
where t.due_at <= (select clock_timestamp() + clock_offset_us * interval '1 microsecond' from installation)
  and not (t.kind = 'expire' and (select clock_held from installation))
  and not (t.kind = 'work' and $1 = 1)
order by t.due_at limit 256
