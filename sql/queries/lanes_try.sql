select n, pg_try_advisory_lock(7061, n::int) from unnest($1::bigint[]) as n
