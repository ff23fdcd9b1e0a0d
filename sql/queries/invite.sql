-- An hour; where what it is used for is carried by hand, two weeks.
with old as (delete from tokens where node_id = $1)
insert into tokens (hash, node_id, expires_at)
select $2, n.id, clock_timestamp() + case p.link when 'file' then interval '14 days' else interval '1 hour' end
from nodes n join planes p on p.id = n.plane_id where n.id = $1
returning extract(epoch from expires_at - clock_timestamp())::bigint
