-- A token that is good, locked; and is it the last way in for who may say, on the provider's side, who may?
select m.id, m.customer_id, m.tenant_id, m.plane_id, array_to_string(r.scopes, ','), array_to_string(t.scopes, ','), t.name, v.body::text,
    m.customer_id is null and not exists (
        select from access_tokens o join members n on n.id = o.member_id join access_roles s on s.name = n.role
        where o.id <> t.id and o.revoked_at is null and (o.expires_at is null or o.expires_at > clock_timestamp())
          and n.customer_id is null and n.plane_id is null and s.scopes && '{*,access.write}'
          and (o.scopes is null or 'access.write' = any(o.scopes)))
from access_tokens t join members m on m.id = t.member_id join access_roles r on r.name = m.role join api_tokens v on v.id = t.id
where t.id = $1 for update of t
