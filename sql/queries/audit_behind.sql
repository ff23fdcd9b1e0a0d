-- Chains that have stood unsigned for five minutes: no clock runs, or what it finds contradicts what was signed before.
select coalesce(string_agg(c.chain::text, ', ' order by c.chain), '') from audit_chains c
where c.at < clock_timestamp() - interval '5 minutes'
  and c.n > coalesce((select max(h.n) from audit_heads h where h.chain = c.chain), 0)
