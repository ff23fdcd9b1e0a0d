-- Of one node, or of nobody's key, a mebibyte is kept: beyond it they are only counted, until some are dropped.
with came as (
    select n.*, sum(length(n.bytes) + 200) over (partition by n.node_id order by n.id) as room
    from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bytea[], $6::timestamptz[])
        as n (id, source, node_id, reason, bytes, created_at)),
kept as (
    select d.node_id, sum(length(d.bytes) + 200) as room from dead_letters d
    where d.node_id is null or d.node_id = any($3::uuid[]) group by d.node_id)
insert into dead_letters (id, source, node_id, reason, bytes, created_at)
select c.id, c.source, c.node_id, c.reason, c.bytes, c.created_at
from came c left join kept k on k.node_id is not distinct from c.node_id
where c.room + coalesce(k.room, 0) <= 1048576
on conflict do nothing
