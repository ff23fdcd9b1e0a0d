-- A name is forgotten some time after its instance is gone: what carries its marker, its own or the one that it was to
-- replace, leaves DNS by an order (a work of the key forget:HOST), and the row leaves with the report. One that was never
-- written needs no order. What failed is ordered again by the next run. A name that somebody took over meanwhile has another
-- instance, and no time. Eleven minutes: longer than an order that was sent late may still be carried out.
with now as (
    select clock_timestamp() + clock_offset_us * interval '1 microsecond' - interval '660 seconds' as past from installation),
settled as (
    delete from works where key in (
        select key from works where kind = 'name' and state <> 'open' for update skip locked)
    returning key, state, params->>'owner' as owner),
unwaited as (
    delete from timers where kind = 'work' and subject in (
        select t.subject from timers t join settled s on t.kind = 'work' and t.subject = s.key for update of t skip locked)
    returning 1),
freed as (
    delete from names n using now
    where n.free_at < now.past
        and ((n.serial = 0 and n.replaces is null)
             or exists (select from settled s where s.key = 'forget:' || n.host and s.state = 'done'
                        and s.owner = replace(n.instance_id::text, '-', '')))
    returning 1),
due as (
    select 'forget:' || n.host as key, jsonb_build_object('host', n.host, 'owner', replace(n.instance_id::text, '-', ''),
        'replaces', n.replaces) as params, clock_timestamp() as at
    from names n, now
    where n.free_at < now.past and (n.serial > 0 or n.replaces is not null)
        and not exists (select from works w where w.key = 'forget:' || n.host)
    order by n.free_at limit 1000),
asked as (
    insert into works (key, kind, state, attempt, opened_at, params)
    select key, 'name', 'open', 0, at, params from due order by key on conflict do nothing),
timed as (
    insert into timers (kind, subject, due_at) select 'work', key, at from due order by key
    on conflict (kind, subject) do update set due_at = excluded.due_at)
select (select count(*) from freed), (select count(*) = 1000 from due)
