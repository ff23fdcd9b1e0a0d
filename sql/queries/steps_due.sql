-- The time is read once, so that the index finds what is due without looking at the rest.
select distinct d.instance_id from (
    select s.instance_id from steps s
    where s.state = 'open' and s.next_at <= (
        select clock_timestamp() + clock_offset_us * interval '1 microsecond' from installation)
    order by s.next_at limit 256) d
