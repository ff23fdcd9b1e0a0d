-- Nodes that PostgreSQL has not heard of for a while: Redis may know better.
select id from nodes where state = 'ready' and health = 'ok'
  and seen_at < clock_timestamp() - interval '25 seconds' order by id limit 1000
