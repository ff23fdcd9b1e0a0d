select h.n, h.hash, h.signature, a.hash from audit_heads h left join audit a on a.chain = h.chain and a.n = h.n
where h.chain = $1 order by h.n
