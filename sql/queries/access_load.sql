-- Tokens and sessions that open something, with whose they are; of these members only, or of all.
select o.id, o.hash, m.id, case when c.id is null then m.name else c.name || '/' || m.name end, m.role, m.customer_id, m.tenant_id,
    m.plane_id, array_to_string(r.scopes, ','), array_to_string(o.scopes, ','), o.expires_at, o.by_cookie, o.is_session
from (select id, member_id, hash, scopes, expires_at, false as by_cookie, false as is_session from access_tokens where revoked_at is null
      union all
      select id, member_id, hash, null, expires_at, by_cookie, true from sessions where ended_at is null) o
    join members m on m.id = o.member_id
    join access_roles r on r.name = m.role
    left join customers c on c.id = m.customer_id
where (o.expires_at is null or o.expires_at > clock_timestamp()) and (cardinality($1::uuid[]) = 0 or m.id = any($1))
