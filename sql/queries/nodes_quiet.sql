-- Nodes that PostgreSQL has not heard of for a while: Redis may know better. And how many nodes there are. Of those that are heard by file silence says nothing.
select n.id, (select count(*) from nodes where state = 'ready' and health = 'ok') from nodes n join planes p on p.id = n.plane_id
where n.state = 'ready' and n.health = 'ok' and n.seen_at < clock_timestamp() - interval '25 seconds' and p.link = 'online'
order by n.id limit 1000
