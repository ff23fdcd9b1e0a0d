-- Nodes that PostgreSQL has not heard of for a while: Redis may know better. And how many nodes there are. Of those that are heard by file silence says nothing.
with there as (
    select n.id, n.seen_at from nodes n join planes p on p.id = n.plane_id where n.state = 'ready' and n.health = 'ok' and p.link = 'online')
select id, (select count(*) from there) from there where seen_at < clock_timestamp() - interval '25 seconds' order by id limit 1000
