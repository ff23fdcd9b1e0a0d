-- Open orders are due now: the clock hands them to decisions, which send a new attempt. It takes the place of the last
-- one: losing an order is not a failure of whoever should have carried it out.
with now as (select clock_timestamp() + clock_offset_us * interval '1 microsecond' as at from installation),
s as (
    update steps t set next_at = now.at, attempt = greatest(t.attempt - 1, 1) from now
    where t.state = 'open' and t.order_id is not null and t.next_at > now.at returning 1),
w as (
    update works t set next_at = now.at, attempt = greatest(t.attempt - 1, 1) from now where t.state = 'open' and t.attempt > 0 returning t.key),
t as (
    insert into timers (kind, subject, due_at) select 'work', w.key, now.at from w, now order by 2
    on conflict (kind, subject) do update set due_at = excluded.due_at returning 1)
select (select count(*) from s) + (select count(*) from t)
