-- Nodes whose last heartbeat is $1 seconds old, or told another interval, with what each should hold as lines in a hash (proto: Heartbeat), and
-- in a private plane its topic and whose topics it reads. The number rises also where the clock went back.
with due as (
    select id from nodes
    where state = 'ready' and (heartbeat_at is null or heartbeat_s <> $1 or heartbeat_at <= clock_timestamp() - $1 * interval '1 second')
    order by heartbeat_at nulls first limit 200 for no key update skip locked),
beat as (
    update nodes n set heartbeat_at = clock_timestamp(), heartbeat_s = $1,
        heartbeat_n = greatest(n.heartbeat_n + 1, (extract(epoch from clock_timestamp()) * 1000000)::bigint)
    from due where n.id = due.id returning n.id, n.plane_id, n.heartbeat_n)
select b.id, b.heartbeat_n, count(d.line), sha256(convert_to(coalesce(string_agg(d.line, E'\n' order by d.line collate "C"), ''), 'UTF8')),
    p.id, (select replace(string_agg(t.id::text, ',' order by t.id), '-', '') from tenants t join topics o on o.tenant_id = t.id
        where t.customer_id = p.customer_id and t.retired_at is null and o.told)
from beat b left join planes p on p.id = b.plane_id and p.mode = 'private' left join lateral (
    select replace(instance_id::text, '-', '') || '.' || kind || case letter when 'a' then '' else '.' || letter end
        || ' ' || epoch || ' ' || revision as line
    from documents where node_id = b.id and not absent) d on true
group by b.id, b.heartbeat_n, p.id
