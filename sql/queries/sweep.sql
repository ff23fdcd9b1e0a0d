-- What served only while it was young: answers to requests (an Idempotency-Key is remembered for so long), and the steps of
-- instances that were deleted. $1: days that they are kept. A page at a time; both are found by the time that their
-- identity or their last event carries, so that nothing else is read.
with cut as (
    select clock_timestamp() + clock_offset_us * interval '1 microsecond' - $1 * interval '1 day' as at, swept_at
    from installation),
answers as (
    delete from requests where id in (
        select r.id from requests r, cut
        where r.id < (lpad(to_hex((extract(epoch from cut.at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
        order by r.id limit 5000)
    returning 1),
-- A clock that was ahead for a while has swept a time that is still to come: what lies before is looked at again.
began as (
    select case when cut.swept_at > cut.at then cut.at - interval '90 days'
                else coalesce(cut.swept_at, (select min(created_at) from instances)) end as since
    from cut),
span as (
    select began.since, least(cut.at, began.since + interval '7 days') as until from cut, began),
gone as (
    select e.tenant_id, e.instance_id from events e, span
    where e.at >= span.since and e.at < span.until and e.type = 'deleted'),
steps_gone as (
    delete from steps s using gone g join instances i on i.tenant_id = g.tenant_id and i.id = g.instance_id and i.gone
    where s.tenant_id = g.tenant_id and s.instance_id = g.instance_id
    returning 1),
moved as (
    update installation set swept_at = span.until from span where span.until > span.since returning 1)
select (select count(*) from answers), (select count(*) from steps_gone),
    (select span.until < cut.at from span, cut) or (select count(*) = 5000 from answers)
