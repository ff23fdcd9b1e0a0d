-- The page is cut before anything is joined to it: a list of many costs what it shows.
with page as materialized (
    select i.id from instances i
    where i.id > $1
      and (($3::text is null and $4::text is null) or i.tenant_id = any (array(
          select t.id from tenants t join customers c on c.id = t.customer_id
          where ($3::text is null or c.name = $3) and ($4::text is null or t.name = $4))))
      and ($5::text is null or i.name = $5) and case when $6::text is null then not i.gone else i.state = $6 end
    order by i.id limit $2)
select v.key, v.body
from page cross join lateral (select key, body from api_instances a where a.id = page.id limit 1) v order by page.id
