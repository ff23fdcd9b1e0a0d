-- These, as bits, are this connection's no more.
delete from partitions where pid = pg_backend_pid() and $1::bigint >> partition & 1 = 1
