-- $1 seconds back, 0: all.
select e.id, e.instance_id, e.sequence from events e, installation n
where (e.instance_id, e.sequence) > ($2, $3)
  and ($1 = 0 or e.at > clock_timestamp() + n.clock_offset_us * interval '1 microsecond' - $1 * interval '1 second')
order by e.instance_id, e.sequence limit $4
