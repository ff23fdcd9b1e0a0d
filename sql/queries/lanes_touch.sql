-- Which lanes are still this connection's. It also tells the server that we live (idle_session_timeout).
select l.lane::bigint from lanes l join pg_stat_activity a on a.pid = l.pid and a.backend_start = l.began
where l.pid = pg_backend_pid()
