-- The newest first. Each chain is read from its own end, or from below the number that the cursor has for it: one for each
-- chain, so that a page costs what it shows.
with bounds as materialized (
    select chain, coalesce(($1::bigint[])[chain + 1], n + 1) as below from audit_chains),
page as materialized (
    select a.*, row_number() over (order by a.at desc, a.chain, a.n desc) as r
    from bounds b cross join lateral (
        select * from audit a where a.chain = b.chain and a.n < b.below order by a.n desc limit $2) a
    order by r limit $2)
select (select string_agg(coalesce((select min(p.n) from page p where p.chain = b.chain and p.r < $2), b.below)::text, '.' order by b.chain)
        from bounds b),
    jsonb_build_object('chain', a.chain, 'n', a.n, 'at', rfc3339(a.at),
        'member', case when m.id is null then null when c.id is null then m.name else c.name || '/' || m.name end,
        'principal', a.principal_id, 'credential', a.credential_id, 'address', a.address, 'act', a.act, 'object', a.object,
        'status', a.status, 'before', encode(a.before, 'hex'), 'after', encode(a.after, 'hex'), 'request', a.request_id, 'trace', a.trace)
from page a left join members m on m.id = a.principal_id left join customers c on c.id = m.customer_id
order by a.r
