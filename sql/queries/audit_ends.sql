select c.chain::bigint, c.n, c.hash from audit_chains c order by 1
