select n, previous, hash, audit_text(a) from audit a where chain = $1 and n > $2 order by n limit $3
