-- Chains whose head nobody has signed yet.
select c.chain::bigint, c.n, c.hash from audit_chains c
where c.n > coalesce((select max(h.n) from audit_heads h where h.chain = c.chain), 0) order by 1
