-- Does it still read, decide and send? Judged by age: a process that lives and does nothing looks well otherwise.
select
    -- Lanes whose session lives.
    (select count(*) from lanes l join pg_stat_activity a on a.pid = l.pid and a.backend_start = l.began),
    -- Seconds for which the oldest row has been on its way.
    (select coalesce(max(extract(epoch from clock_timestamp() - waits_since)), 0)::bigint from lanes),
    (select coalesce(extract(epoch from clock_timestamp() - max(sent_at))::bigint, -1) from lanes where lane = 0),
    -- Since any node was heard of: its reports are read and stored.
    (select coalesce(extract(epoch from clock_timestamp() - max(seen_at))::bigint, -1) from nodes where state = 'ready'),
    -- How late the clock is with what is due.
    (select coalesce(greatest(0, extract(epoch from clock_timestamp() + n.clock_offset_us * interval '1 microsecond' - least(
            (select min(t.due_at) from timers t where not (n.clock_held and t.kind = 'expire')),
            (select min(s.next_at) from steps s where s.state = 'open' and s.next_at is not null)))), 0)::bigint
        from installation n),
    (select count(*) from (select 1 from outbox limit 10001) o),
    -- Partitions of the reports whose reader's session lives.
    (select count(*) from partitions p join pg_stat_activity a on a.pid = p.pid and a.backend_start = p.began)
