-- The fleet at a glance: how many of what, and what is stuck, where, why, since when.
with i as materialized (
    select state, coalesce(health, 'unknown') as health, count(*) as c from instances where not gone group by 1, 2)
select jsonb_build_object(
    'nodes', (select coalesce(jsonb_object_agg(health, c), '{}') from (
        select case when state = 'ready' then health else state end as health, count(*) as c from nodes group by 1) x),
    'instances', (select coalesce(jsonb_object_agg(state, c), '{}') from (
        select state, sum(c) as c from i group by 1) x),
    'health', (select coalesce(jsonb_object_agg(health, c), '{}') from (
        select health, sum(c) as c from i where state = 'running' group by 1) x),
    'outbox', (select count(*) from (select 1 from outbox limit 100000) o),
    'outbox_held', (select count(*) from outbox_held),
    'dead_letters', (select count(*) from dead_letters),
    'clock_held', (select clock_held from installation),
    'silent_nodes', (select coalesce(jsonb_agg(jsonb_build_object('name', name, 'since', rfc3339(seen_at)) order by name), '[]')
        from nodes where state = 'ready' and health <> 'ok'),
    'stuck_all', (select count(*) from stuck_v1),
    'stuck', (select coalesce(jsonb_agg(to_jsonb(s) order by since), '[]') from (
        select customer, tenant, instance, state, step, step_state, class, reason, rfc3339(since) as since, attempt,
            rfc3339(next_try) as next_try
        from stuck_v1 x order by x.since limit 50) s),
    'unwell', (select coalesce(jsonb_agg(to_jsonb(s)), '[]') from (
        select customer, tenant, instance, health, coalesce(health_reason, '') as reason, rfc3339(e.at) as since
        from fleet_now_v1 f left join lateral (
            select at from events where instance_id = f.id and type = 'health_changed'
            order by sequence desc limit 1) e on true
        where f.state = 'running' and f.health <> 'ok' order by 1, 2, 3 limit 50) s))
