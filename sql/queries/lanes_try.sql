-- Of these lanes, those that no relay of ours holds any more, or ever did: they are this connection's now.
insert into lanes as l (lane, pid, began)
select n, a.pid, a.backend_start from unnest($1::bigint[]) as n, pg_stat_activity a where a.pid = pg_backend_pid() order by 1
on conflict (lane) do update set pid = excluded.pid, began = excluded.began
where not exists (
    select from pg_stat_activity a where a.pid = l.pid and a.backend_start = l.began and a.usename = current_user)
returning lane::bigint
