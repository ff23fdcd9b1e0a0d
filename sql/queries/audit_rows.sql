-- What is hashed, as audit_text() of migration 0015 had it, but not by it: whoever owns the database can change that.
select a.n, a.hash, jsonb_build_array(a.chain, a.n, (extract(epoch from a.at) * 1000000)::bigint, a.customer_id, a.principal_id,
    a.credential_id, a.address, a.act, a.object, a.status, encode(a.before, 'hex'), encode(a.after, 'hex'), a.request_id, a.trace)::text
from audit a where chain = $1 and n > $2 order by n limit $3
