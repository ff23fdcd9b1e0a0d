-- $1 seconds back, 0: all. A range with two ends: the planner knows then that it is small.
with span as materialized (
    select case when $1::bigint = 0 then '-infinity' else now.at - $1::bigint * interval '1 second' end as since, now.at + interval '1 day' as until
    from (select clock_timestamp() + clock_offset_us * interval '1 microsecond' as at from installation) now),
lately as materialized (
    select e.id, e.instance_id, e.sequence from events e
    where e.at > (select since from span) and e.at <= (select until from span))
select id, instance_id, sequence from lately
where (instance_id, sequence) > ($2, $3) order by instance_id, sequence limit $4
