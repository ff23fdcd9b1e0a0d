-- Which partitions are this connection's, as bits, and how many connections read. It also tells the server that we
-- live (idle_session_timeout).
select coalesce((
        select bit_or(1::bigint << p.partition) from partitions p
            join pg_stat_activity a on a.pid = p.pid and a.backend_start = p.began
        where p.pid = pg_backend_pid()), 0),
    (select count(*) from pg_stat_activity a where a.datname = current_database() and a.usename = current_user
        and a.application_name = current_setting('application_name'))
