-- Nodes that have not said that they know the newest set: told once when it is released, and again each $1 seconds.
with newest as (select n, envelope, released_at from key_sets where released_at is not null order by n desc limit 1),
due as (
    select o.id from nodes o, newest k
    where o.state = 'ready' and o.key_set < k.n
        and (o.keys_told_at is null or o.keys_told_at < greatest(k.released_at, clock_timestamp() - $1 * interval '1 second'))
    limit 200 for no key update of o skip locked),
told as (update nodes o set keys_told_at = clock_timestamp() from due where o.id = due.id returning o.id, o.plane_id)
select t.id, case when p.mode = 'private' then p.id end, k.envelope from newest k, told t join planes p on p.id = t.plane_id
