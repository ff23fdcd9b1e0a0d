-- Every chain that there was from the first, or of which anything is left.
select c.chain::bigint, coalesce(e.n, -1), coalesce(e.hash, '')
from (select generate_series(0, 7) as chain union select chain from audit_chains union select chain from audit_heads) c
    left join audit_chains e using (chain) order by 1
