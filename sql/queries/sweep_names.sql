-- A name is forgotten some time after its instance is gone: its marker leaves DNS by an order (a work of the key
-- forget:HOST), and the row leaves with the report. One that was never written needs no order. What failed is ordered
-- again by the next run. A name that somebody took over meanwhile has another instance, and no time.
with now as (select clock_timestamp() + clock_offset_us * interval '1 microsecond' as at from installation),
settled as (
    delete from works where kind = 'name' and state <> 'open' returning key, state, params->>'owner' as owner),
unwaited as (
    delete from timers t using settled s where t.kind = 'work' and t.subject = s.key returning 1),
freed as (
    delete from names n using now
    where n.free_at < now.at
        and (n.serial = 0 or exists (select from settled s where s.key = 'forget:' || n.host and s.state = 'done'
                                     and s.owner = replace(n.instance_id::text, '-', '')))
    returning 1),
due as (
    select 'forget:' || n.host as key, jsonb_build_object('host', n.host, 'owner', replace(n.instance_id::text, '-', '')) as params,
        now.at
    from names n, now
    where n.free_at < now.at and n.serial > 0 and not exists (select from works w where w.key = 'forget:' || n.host)
    order by n.free_at limit 1000),
asked as (
    insert into works (key, kind, state, attempt, opened_at, params)
    select key, 'name', 'open', 0, at, params from due order by key on conflict do nothing),
timed as (
    insert into timers (kind, subject, due_at) select 'work', key, at from due order by key
    on conflict (kind, subject) do update set due_at = excluded.due_at)
select (select count(*) from freed)
