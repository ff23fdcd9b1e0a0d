-- The newest first, behind the row ($1, $2, $3) (microseconds; 0: from the first).
select (extract(epoch from a.at) * 1000000)::bigint || '.' || a.chain || '.' || a.n,
    jsonb_build_object('chain', a.chain, 'n', a.n, 'at', rfc3339(a.at),
        'member', case when m.id is null then null when c.id is null then m.name else c.name || '/' || m.name end,
        'principal', a.principal_id, 'credential', a.credential_id, 'address', a.address, 'act', a.act, 'object', a.object,
        'status', a.status, 'before', encode(a.before, 'hex'), 'after', encode(a.after, 'hex'), 'request', a.request_id, 'trace', a.trace)
from audit a left join members m on m.id = a.principal_id left join customers c on c.id = m.customer_id
where $1::bigint = 0 or (a.at, a.chain, a.n) < (timestamptz 'epoch' + $1 * interval '1 microsecond', $2::bigint, $3::bigint)
order by a.at desc, a.chain desc, a.n desc limit $4
