-- As tenants_delete.sql: one whose tenants left history is retired.
with gone as (
    delete from customers c where c.id = $1 and not exists (select from tenants t where t.customer_id = c.id) returning c.id),
kept as (
    update customers c set name = 'x' || substr(md5(c.id::text), 1, 18), title = '', retired_at = clock_timestamp()
    where c.id = $1 and exists (select from tenants t where t.customer_id = c.id) returning c.id),
asked as (delete from members m where m.customer_id = $1),
answered as (
    delete from requests r using customers c
    where c.id = $1 and r.kind in ('record', 'token', 'invite') and r.answer like '%"member": "' || c.name || '/%'),
changes as (
    delete from requests r where r.kind = 'record' and r.answer like '%"id": "' || $1::uuid || '"%')
select id from gone union all select id from kept
