-- Nodes whose last heartbeat is $1 seconds old, or told another interval or other tenants, with what each should hold as lines in
-- a hash (proto: Heartbeat), and in a private plane its topic and whose topics it reads. The number rises also where the clock
-- went back.
with now as (
    select n.id, case when p.mode = 'private' then p.id end as plane_id, case when p.mode <> 'private' then '{}' else array(
        select t.id from tenants t join topics o on o.tenant_id = t.id where t.customer_id = p.customer_id and o.told order by t.id)
        end as tenants
    from nodes n join planes p on p.id = n.plane_id
    where n.state = 'ready' and (p.mode = 'private'
        or n.heartbeat_at is null or n.heartbeat_s <> $1 or n.heartbeat_at <= clock_timestamp() - $1 * interval '1 second')),
due as (
    select n.id, now.plane_id, now.tenants from nodes n join now on now.id = n.id
    where n.heartbeat_at is null or n.heartbeat_s <> $1 or n.heartbeat_at <= clock_timestamp() - $1 * interval '1 second'
        or n.heartbeat_tenants <> now.tenants
    order by n.heartbeat_at nulls first limit 200 for no key update of n skip locked),
beat as (
    update nodes n set heartbeat_at = clock_timestamp(), heartbeat_s = $1, heartbeat_tenants = due.tenants,
        heartbeat_n = greatest(n.heartbeat_n + 1, (extract(epoch from clock_timestamp()) * 1000000)::bigint)
    from due where n.id = due.id returning n.id, n.heartbeat_n, due.plane_id, due.tenants)
select b.id, b.heartbeat_n, count(d.line), sha256(convert_to(coalesce(string_agg(d.line, E'\n' order by d.line collate "C"), ''), 'UTF8')),
    b.plane_id, replace(array_to_string(b.tenants, ','), '-', '')
from beat b left join lateral (
    select replace(instance_id::text, '-', '') || '.' || kind || case letter when 'a' then '' else '.' || letter end
        || ' ' || epoch || ' ' || revision as line
    from documents where node_id = b.id and not absent) d on true
group by b.id, b.heartbeat_n, b.plane_id, b.tenants
