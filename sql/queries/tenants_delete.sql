-- One that never had an instance goes. Of one that had, what people typed goes (titles, inputs, what apps printed, answers
-- to requests), and its name is free again; its instances and their events stay as history.
with gone as (
    delete from tenants t where t.id = $1 and not exists (select from instances i where i.tenant_id = t.id) returning t.id),
kept as (
    update tenants t set name = 'x' || substr(md5(t.id::text), 1, 18), title = '', retired_at = clock_timestamp()
    where t.id = $1 and exists (select from instances i where i.tenant_id = t.id) returning t.id),
emptied as (
    update instances i set inputs = '{}', problem = null, health_reason = null from kept where i.tenant_id = kept.id),
answers as (
    delete from requests r using intents n, kept where n.tenant_id = kept.id and r.id = n.request_id),
asked as (delete from members m where m.tenant_id = $1),
changes as (
    delete from requests r where r.kind = 'record' and r.answer like '%"id": "' || $1::uuid || '"%'),
printed as (
    delete from steps s using kept where s.tenant_id = kept.id),
-- Agents that read its topic may no more: their rights are given anew, and their next heartbeat does not name it.
topic as (delete from topics where tenant_id = $1 returning 1),
readers as (
    update topics o set ready = false, wanted = o.wanted + 1 from tenants t join planes p on p.customer_id = t.customer_id
    where t.id = $1 and o.plane_id = p.id and exists (select from topic)),
told as (
    update nodes n set heartbeat_at = null from tenants t join planes p on p.customer_id = t.customer_id and p.mode = 'private'
    where t.id = $1 and n.plane_id = p.id and n.state = 'ready' and exists (select from topic))
select id from gone union all select id from kept
