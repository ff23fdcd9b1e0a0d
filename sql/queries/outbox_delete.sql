-- By a range, too: the plan of a table that is empty most of the time looks up the lane only and filters the rest, and every
-- row that was ever deleted is read again (findings/postgresql-plan-of-an-empty-queue.sh).
delete from outbox where lane = $1 and id = any($2::bigint[])
    and id >= (select min(n) from unnest($2::bigint[]) n) and id <= (select max(n) from unnest($2::bigint[]) n)
