select t.kind, t.subject from timers t, installation n
where t.due_at <= clock_timestamp() + n.clock_offset_us * interval '1 microsecond'
  and not (n.clock_held and t.kind = 'expire')
order by t.due_at limit 256
