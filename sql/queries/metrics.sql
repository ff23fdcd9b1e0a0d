-- Gauges, as (name, labels, value): asked when somebody asks for metrics.
with n as (select clock_timestamp() + clock_offset_us * interval '1 microsecond' as at, clock_held from installation),
-- One look at all instances, whatever is asked of them.
i as materialized (
    select state, coalesce(health, 'unknown') as health, count(*) as c,
        case when expires_at < n.at + interval '1 day' then 1 when expires_at < n.at + interval '3 days' then 3
            when expires_at < n.at + interval '7 days' then 7 end as days
    from instances, n where not gone group by 1, 2, 4)
select 'fairlead_instances', state, sum(c)::bigint from i group by state
union all select 'fairlead_instances_health', health, sum(c)::bigint from i where state = 'running' group by 2
union all select 'fairlead_nodes', health, count(*) from nodes where state = 'ready' group by health
union all select 'fairlead_node_last_seen_seconds', '',
    coalesce(max(extract(epoch from clock_timestamp() - seen_at))::bigint, 0) from nodes where state = 'ready'
union all select 'fairlead_outbox_pending', '', count(*) from (select 1 from outbox limit 100000) o
union all select 'fairlead_outbox_held', '', count(*) from outbox_held
union all select 'fairlead_steps_stuck', '', count(*) from stuck_v1
union all select 'fairlead_dead_letters', '', count(*) from dead_letters
union all select 'fairlead_trials_expiring', d || 'd', (
    select coalesce(sum(c), 0)::bigint from i where state in ('new', 'running', 'stopped', 'failed') and days <= d)
    from unnest(array[1, 3, 7]) d
union all select 'fairlead_clock_held', '', clock_held::int from n
