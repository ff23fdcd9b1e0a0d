-- What a create may look at, by the names that it gave; one row per input, in order.
select a.n, c.id, t.id, s.id, s.cpu_milli, s.memory_mb, s.disk_mb, p.modes, p.max_instances, p.max_memory_mb,
    p.trial_days, i.id, coalesce(u.instances, 0), coalesce(u.memory_mb, 0), pl.id is not null,
    p.modes @> array[pl.mode] and (pl.customer_id is null or pl.customer_id = c.id), coalesce(pl.customer_id = c.id, true),
    -- Asked only where whoever creates is limited to the plane.
    case when a.planed = 0 then true else pl.customer_id = c.id or exists (
        select from instances o where o.tenant_id = t.id and o.plane_id = a.plane_id) end, p.requires
from unnest($1::bigint[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::bigint[])
        as a (n, customer, tenant, plane_id, size, name, planed)
    left join customers c on c.name = a.customer
    left join plans p on p.id = c.plan_id
    left join usages u on u.customer_id = c.id
    left join tenants t on t.customer_id = c.id and t.name = a.tenant
    left join planes pl on pl.id = a.plane_id
    left join sizes s on s.plane_id = a.plane_id and s.name = a.size
    left join instances i on i.tenant_id = t.id and i.name = a.name and not i.gone
order by a.n
