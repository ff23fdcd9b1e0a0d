-- A token that is good, locked; and is it the last way in for who may say, on the provider's side, who may? All of them are
-- locked for that: two who revoke each other's see each other.
with locked as materialized (
    select n.id from members n join access_roles s on s.name = n.role
    where n.customer_id is null and n.plane_id is null and s.scopes && '{*,access.write}' order by n.id for update of n)
select m.id, m.customer_id, m.tenant_id, m.plane_id, array_to_string(r.scopes, ','), array_to_string(t.scopes, ','), t.name, v.body::text,
    m.customer_id is null and not exists (select from locked l where comes_in(l.id, t.id))
from access_tokens t join members m on m.id = t.member_id join access_roles r on r.name = m.role join api_tokens v on v.id = t.id
where t.id = $1 and (select count(*) from locked) >= 0 for update of t
