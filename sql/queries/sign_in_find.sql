select m.id, m.customer_id, p.hash, f.box, f.used_step, f.confirmed_at is not null
from members m left join customers c on c.id = m.customer_id left join passwords p on p.member_id = m.id
    left join second_factors f on f.member_id = m.id
where m.kind = 'person' and coalesce(c.name, '-') || '/' || m.name = $1
