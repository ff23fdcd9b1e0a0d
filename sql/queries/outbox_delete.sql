delete from outbox where lane = $1 and id = any($2::bigint[])
