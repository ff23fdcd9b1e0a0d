-- Whoever takes a due row takes it away, in the transaction of what follows from it. What stops or removes is
-- held while the clock is in doubt.
delete from timers t using (
    select x.kind, x.subject from timers x, installation n
    where (x.kind, x.subject) in (select * from unnest($1::text[], $2::text[]))
      and x.due_at <= clock_timestamp() + n.clock_offset_us * interval '1 microsecond'
      and not (n.clock_held and x.kind = 'expire')
    for update of x skip locked) x
where t.kind = x.kind and t.subject = x.subject
returning t.kind, t.subject
