-- Nodes whose last heartbeat is $1 seconds old, or told another interval, with what each should hold (proto: Heartbeat). The number rises also
-- where the clock went back.
with due as (
    select id from nodes n
    where state = 'ready' and not exists (select from planes p where p.id = n.plane_id and p.link = 'file') and (heartbeat_at is null or heartbeat_s <> $1 or heartbeat_at <= clock_timestamp() - $1 * interval '1 second')
    order by heartbeat_at nulls first limit 200 for no key update skip locked),
beat as (
    update nodes n set heartbeat_at = clock_timestamp(), heartbeat_s = $1,
        heartbeat_n = greatest(n.heartbeat_n + 1, (extract(epoch from clock_timestamp()) * 1000000)::bigint)
    from due where n.id = due.id returning n.id, n.heartbeat_n)
select b.id, b.heartbeat_n, h.documents, h.hash, h.private_plane, h.tenants from beat b, heartbeat_of(b.id) h
