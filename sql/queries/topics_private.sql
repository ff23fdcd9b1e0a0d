-- The tenants of customers that have a private plane: a topic for each.
insert into topics (name, tenant_id)
select 'fairlead.tenant.' || replace(t.id::text, '-', ''), t.id
from tenants t
where exists (select from planes p where p.customer_id = t.customer_id and p.mode = 'private')
    and not exists (select from topics o where o.tenant_id = t.id)
on conflict do nothing
