-- Nodes that PostgreSQL has not heard of for a while: Redis may know better. And how many nodes there are.
select id, (select count(*) from nodes where state = 'ready' and health = 'ok') from nodes where state = 'ready' and health = 'ok'
  and seen_at < clock_timestamp() - interval '25 seconds' order by id limit 1000
