-- Of the node $1: what a bundle for it says besides its documents. Its number rises also where the clock went back.
with beat as (
    update nodes n set heartbeat_at = clock_timestamp(),
        heartbeat_n = greatest(n.heartbeat_n + 1, (extract(epoch from clock_timestamp()) * 1000000)::bigint)
    from planes p where n.name = $1 and p.id = n.plane_id and p.link = 'file' and n.state = 'ready' returning n.id, n.heartbeat_n)
select b.id, b.heartbeat_n, h.documents, h.hash, h.private_plane, h.tenants,
    (select envelope from key_sets where released_at is not null order by n desc limit 1), rfc3339(clock_timestamp())
from beat b, heartbeat_of(b.id) h
