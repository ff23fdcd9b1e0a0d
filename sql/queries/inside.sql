-- Lanes and partitions, and who leases them; what is due, by kind.
with now as (select clock_timestamp() + clock_offset_us * interval '1 microsecond' as at from installation)
select jsonb_build_object(
    'lanes', (select coalesce(jsonb_agg(jsonb_build_object('lane', l.lane, 'pid', l.pid, 'alive', a.pid is not null,
            'rows', (select count(*) from (select from outbox o where o.lane = l.lane limit 10000) o),
            'waits_since', rfc3339(l.waits_since), 'sent_at', rfc3339(l.sent_at)) order by l.lane), '[]')
        from lanes l left join pg_stat_activity a on a.pid = l.pid and a.backend_start = l.began),
    'partitions', (select coalesce(jsonb_agg(jsonb_build_object('partition', p.partition, 'pid', p.pid, 'alive', a.pid is not null)
            order by p.partition), '[]')
        from partitions p left join pg_stat_activity a on a.pid = p.pid and a.backend_start = p.began),
    'timers', (select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'waiting', waiting, 'late', late,
            'next', rfc3339(next)) order by kind), '[]')
        from (select t.kind, count(*) as waiting, min(t.due_at) as next,
            count(*) filter (where t.due_at < now.at - interval '10 s') as late from timers t, now group by 1) k))
