-- Of the first $1 partitions those that no reader of ours holds any more, or ever did, $2 at most: they are this
-- connection's now.
insert into partitions as p (partition, pid, began)
select n, a.pid, a.backend_start from generate_series(0, $1::int - 1) n, pg_stat_activity a
where a.pid = pg_backend_pid() and not exists (
    select from partitions o join pg_stat_activity s on s.pid = o.pid and s.backend_start = o.began
    where o.partition = n and s.usename = current_user)
order by n limit $2
on conflict (partition) do update set pid = excluded.pid, began = excluded.began
where not exists (
    select from pg_stat_activity s where s.pid = p.pid and s.backend_start = p.began and s.usename = current_user)
returning partition::bigint
