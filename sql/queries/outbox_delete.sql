-- By a range, too: where only the lane is looked up and the rest is filtered, a plan made while the table was empty, every
-- row that was ever deleted is read again.
delete from outbox where lane = $1 and id = any($2::bigint[])
    and id >= (select min(n) from unnest($2::bigint[]) n) and id <= (select max(n) from unnest($2::bigint[]) n)
