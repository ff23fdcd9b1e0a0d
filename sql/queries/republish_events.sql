-- $1 seconds back, 0: all. A range with two ends: the planner knows then that it is small. Sorted once, and kept by the
-- server beyond the transaction: pages of it cost what they hold, and no snapshot stands while they are sent.
declare republished no scroll cursor with hold for
select e.instance_id, e.sequence from events e
where e.at > (
        select case when $1::bigint = 0 then '-infinity'
            else clock_timestamp() + clock_offset_us * interval '1 microsecond' - $1::bigint * interval '1 second' end
        from installation)
    and e.at <= (
        select clock_timestamp() + clock_offset_us * interval '1 microsecond' + interval '1 day' from installation)
order by e.instance_id, e.sequence
