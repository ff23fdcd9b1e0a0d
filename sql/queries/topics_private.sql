-- The tenants of customers that have a private plane: a topic for each.
insert into topics (name, tenant_id)
select distinct 'fairlead.tenant.' || replace(t.id::text, '-', ''), t.id
from planes p join tenants t on t.customer_id = p.customer_id
where p.mode = 'private' and t.retired_at is null and not exists (select from topics o where o.tenant_id = t.id)
on conflict do nothing
